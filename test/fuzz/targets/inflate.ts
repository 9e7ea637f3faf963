import { deepStrictEqual, ok } from 'node:assert';
import { constants, deflateRawSync } from 'node:zlib';
import { DeflateCodec } from '../../../src/protocol/deflate-codec.ts';
import { resolveLimits } from '../../../src/protocol/limits.ts';
import { codeOf, type FuzzTarget, someChunkings } from '../target.ts';

const limits = resolveLimits({ maxInflateRatio: 20, inflateSlackBytes: 100_000 });
const deflated = (text: string): Buffer => deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH });
const fetch = '* 1 FETCH (UID 1 FLAGS (\\Seen) BODY[] {5}\r\nhello)\r\n';

/** COMPRESS=DEFLATE: the same bytes at every chunking, never many more than the caps allow. */
export const inflateTarget: FuzzTarget = {
  name: 'inflate',
  corpus: [
    deflated(fetch),
    Buffer.concat([deflated(fetch), deflated('A1 OK done\r\n')]),
    deflated(fetch.repeat(300)),
    deflated('\0'.repeat(400_000)),
    deflateRawSync(fetch),
    deflateRawSync(fetch, { level: 0 }),
  ],
  words: ['\0\0\xff\xff', '\0', '\x03\0', '\x4b\x04\0', '\xff'],
  check: async (bytes) => {
    const whole = await inflate([bytes]);
    for (const chunks of someChunkings(bytes)) {
      const cut = await inflate(chunks);
      // What came out before an error, and which of two errors is met first, depends on the steps of zlib.
      deepStrictEqual(cut.error === null, whole.error === null);
      if (whole.error === null) ok(cut.plain.equals(whole.plain), 'cuts change what is inflated');
    }
  },
};

async function inflate(chunks: readonly Buffer[]): Promise<{ readonly plain: Buffer; readonly error: string | null }> {
  const plain: Buffer[] = [];
  let plainBytes = 0;
  let bytesIn = 0;
  const cause = await new Promise<Error | null>((resolve) => {
    const codec = new DeflateCodec(
      {
        onPlain: (chunk) => {
          plain.push(chunk);
          plainBytes += chunk.length;
          if (plainBytes > bytesIn * limits.maxInflateRatio + limits.inflateSlackBytes) {
            resolve(new RangeError('inflated beyond the caps'));
          }
        },
        write: () => true,
        onDrain: () => {},
        onFull: () => {},
        onError: resolve,
      },
      limits,
    );
    for (const chunk of chunks) {
      bytesIn += chunk.length;
      codec.receive(chunk);
    }
    codec.end(() => {
      codec.close();
      resolve(null);
    });
  });
  return { plain: Buffer.concat(plain), error: cause === null ? null : codeOf(cause) };
}
