import type { Literal } from '../protocol/index.ts';

/** The first bytes of a message, up to the empty line that ends its header, at most `maxBytes`. */
export function headerBlockOf(body: Literal, maxBytes: number): Buffer {
  let block: Buffer = Buffer.alloc(0);
  for (const chunk of body.chunks) {
    const searched = block.length;
    block = searched === 0 ? chunk : Buffer.concat([block, chunk]);
    const end = headerEnd(block, searched);
    if (end !== -1) return block.subarray(0, end);
    if (block.length >= maxBytes) return block.subarray(0, maxBytes);
  }
  return block;
}

function headerEnd(bytes: Buffer, searched: number): number {
  const from = Math.max(0, searched - 3);
  const crlf = bytes.indexOf('\r\n\r\n', from);
  const lf = bytes.indexOf('\n\n', from);
  if (crlf === -1) return lf;
  return lf === -1 ? crlf : Math.min(crlf, lf);
}
