import { ImapClient } from '../../src/protocol/client.ts';
import type { Transport, TransportHandlers } from '../../src/protocol/types.ts';

/** A client with a folder selected, in front of a server that answers every FETCH with `chunks`, at once. */
export async function openReplay(chunks: readonly Buffer[]): Promise<ImapClient> {
  const client = await ImapClient.connect({ host: 'replay', transport: new ReplayTransport(chunks) });
  await client.selectFolder('INBOX', { readOnly: true });
  return client;
}

class ReplayTransport implements Transport {
  readonly secure = false;
  readonly description = 'replay';
  readonly #chunks: readonly Buffer[];
  #handlers: TransportHandlers | null = null;

  constructor(chunks: readonly Buffer[]) {
    this.#chunks = chunks;
  }

  start(handlers: TransportHandlers): void {
    this.#handlers = handlers;
    handlers.onData(Buffer.from('* PREAUTH [CAPABILITY IMAP4rev1] ready\r\n'));
  }

  write(parts: readonly Buffer[]): boolean {
    const line = Buffer.concat(parts).toString('latin1');
    const [tag] = line.split(' ', 1);
    if (line.includes(' FETCH ')) for (const chunk of this.#chunks) this.#handlers?.onData(chunk);
    else this.#handlers?.onData(Buffer.from('* 1000000 EXISTS\r\n'));
    this.#handlers?.onData(Buffer.from(`${tag} OK done\r\n`));
    return true;
  }

  pause(): void {}

  resume(): void {}

  upgrade(): Promise<void> {
    return Promise.reject(new Error('a replay has no TLS'));
  }

  close(): void {}

  end(): void {}
}
