/** Longest excerpt of a server's bytes in an error message, in characters. */
const maxChars = 60;

/**
 * What stands at `start`, for an error message: printable ASCII as it is, every other byte as an escape, at most 60
 * characters. Callers pass text outside literals only, so no mail content gets into messages.
 */
export function excerpt(buffer: Buffer, start: number, end: number): string {
  let seen = '';
  for (let at = Math.max(0, start); at < end; at++) {
    const piece = escapeByte(buffer[at] as number);
    if (seen.length + piece.length >= maxChars) return `${seen}…`;
    seen += piece;
  }
  return seen;
}

function escapeByte(byte: number): string {
  if (byte === 0x5c) return '\\\\';
  if (byte >= 0x20 && byte < 0x7f) return String.fromCharCode(byte);
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}
