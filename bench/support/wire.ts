/** The bytes of the benches: what a server sends, and how a socket delivers it. */

export interface Named {
  readonly name: string;
  readonly bytes: number;
}

export const messageSizes: readonly Named[] = [
  { name: '100 B', bytes: 100 },
  { name: '1.5 KB', bytes: 1500 },
  { name: '8 KB', bytes: 8 * 1024 },
  { name: '64 KB', bytes: 64 * 1024 },
  { name: '1 MB', bytes: 1024 * 1024 },
];

/** A packet, a TLS record, and what Node reads from a socket at a time, at first and when much is there. */
export const chunkSizes: readonly Named[] = [
  { name: '1.4 KB', bytes: 1448 },
  { name: '16 KB', bytes: 16 * 1024 },
  { name: '64 KB', bytes: 64 * 1024 },
  { name: '256 KB', bytes: 256 * 1024 },
];

const lorem = 'Lorem ipsum dolor sit amet, consetetur sadipscing elitr, sed diam nonumy\r\n';

/** A text of lines. */
export function textOf(bytes: number): Buffer {
  return Buffer.alloc(bytes, lorem);
}

/** The flags of message `seq`: mostly read, some answered or forwarded. */
export function flagsOf(seq: number): string {
  return seq % 3 === 0 ? '\\Answered \\Seen' : seq % 7 === 0 ? '\\Seen $Forwarded' : '\\Seen';
}

export function dateOf(seq: number): string {
  return `${String((seq % 28) + 1).padStart(2, '0')}-Jul-2024 12:34:56 +0200`;
}

/** `count` FETCH responses in a row. */
export function fetchResponses(count: number, items: (seq: number) => string): Buffer {
  const lines = Array.from({ length: count }, (_, at) => `* ${at + 1} FETCH (${items(at + 1)})\r\n`);
  return Buffer.from(lines.join(''), 'latin1');
}

/** The items of a message of that size as a migration's source sends them. */
export function messageItems(size: number): (seq: number) => string {
  const body = textOf(size).toString('latin1');
  return (seq) => {
    return `UID ${seq + 1000} FLAGS (${flagsOf(seq)}) INTERNALDATE "${dateOf(seq)}" BODY[] {${size}}\r\n${body}`;
  };
}

/** Chunks as a socket delivers them: each in memory of its own. */
export function cut(stream: Buffer, chunkBytes: number): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < stream.length; at += chunkBytes) {
    const part = stream.subarray(at, at + chunkBytes);
    const chunk = Buffer.allocUnsafeSlow(part.length);
    part.copy(chunk);
    chunks.push(chunk);
  }
  return chunks;
}
