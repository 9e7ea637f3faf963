/** Messages, compressed and back. zstd is there where the Node version has it (22.15 and later). */
import { pipeline, Readable, type Transform } from 'node:stream';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import type { Compression } from './eml-name.ts';
import { TreeError } from './tree-error.ts';

/** A message of more than this is not unpacked in memory: it could be made to fill all of it. */
const maxUnpackedBytes = 512 * 1024 * 1024;

interface Codec {
  readonly pack: (bytes: Buffer) => Promise<Buffer>;
  readonly unpack: (bytes: Buffer) => Promise<Buffer>;
  readonly packer: () => Transform;
  readonly unpacker: () => Transform;
}

/** zlib of a Node version that has zstd. */
interface Zstd {
  zstdCompress(bytes: Buffer, done: (error: Error | null, result: Buffer) => void): void;
  zstdDecompress(
    bytes: Buffer,
    options: { readonly maxOutputLength: number },
    done: (error: Error | null, result: Buffer) => void,
  ): void;
  createZstdCompress(): Transform;
  createZstdDecompress(): Transform;
}

const gunzip = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.gunzip);
const gzip: Codec = {
  pack: promisify<Buffer, Buffer>(zlib.gzip),
  unpack: (bytes) => gunzip(bytes, { maxOutputLength: maxUnpackedBytes }),
  packer: () => zlib.createGzip(),
  unpacker: () => zlib.createGunzip(),
};

/** True where this Node version can write zstd. */
export const hasZstd = 'zstdCompress' in zlib;

/** @throws TreeError where this Node version has no zstd */
function codecOf(compression: Exclude<Compression, 'none'>): Codec {
  if (compression === 'gzip') return gzip;
  if (!hasZstd) {
    throw new TreeError('UNREADABLE', 'zstd needs Node 22.15 or later: use that, or gzip (--store-compress gzip)');
  }
  const zstd = zlib as unknown as Zstd;
  const unpack = promisify(zstd.zstdDecompress.bind(zstd));
  return {
    pack: promisify(zstd.zstdCompress.bind(zstd)),
    unpack: (bytes) => unpack(bytes, { maxOutputLength: maxUnpackedBytes }),
    packer: () => zstd.createZstdCompress(),
    unpacker: () => zstd.createZstdDecompress(),
  };
}

/** The bytes as they are stored. @throws TreeError */
export async function pack(chunks: readonly Buffer[], compression: Compression): Promise<readonly Buffer[]> {
  if (compression === 'none') return chunks;
  return [await codecOf(compression).pack(Buffer.concat(chunks))];
}

/** The bytes as they were given. @throws TreeError, or what zlib throws for bytes that are damaged */
export async function unpack(bytes: Buffer, compression: Compression): Promise<Buffer> {
  return compression === 'none' ? bytes : await codecOf(compression).unpack(bytes);
}

/** The same for a body that comes piece by piece. @throws TreeError, or what `slices` throws */
export function packStream(slices: AsyncIterable<Buffer>, compression: Compression): AsyncIterable<Buffer> {
  return compression === 'none' ? slices : through(slices, codecOf(compression).packer());
}

/** @throws as `unpack` */
export function unpackStream(slices: AsyncIterable<Buffer>, compression: Compression): AsyncIterable<Buffer> {
  return compression === 'none' ? slices : through(slices, codecOf(compression).unpacker());
}

function through(slices: AsyncIterable<Buffer>, transform: Transform): AsyncIterable<Buffer> {
  // An error of the source ends the transform with it, and whoever reads from it hears of that.
  return pipeline(Readable.from(slices, { objectMode: false }), transform, () => {});
}
