import { createHash, hash } from 'node:crypto';
import type { Literal } from '../protocol/index.ts';

const lf = 0x0a;
const cr = 0x0d;
const crlf = Buffer.from('\r\n');

/** SHA-256 over the exact bytes of a literal. */
export function digestOf(body: Literal): Buffer {
  const [only] = body.chunks;
  if (only !== undefined && body.chunks.length === 1) return hash('sha256', only, 'buffer');
  const sha = createHash('sha256');
  for (const chunk of body.chunks) sha.update(chunk);
  return sha.digest();
}

/**
 * SHA-256 over the canonical form: every line ends in CRLF (bare CR and bare LF become CRLF) and the last line has its end.
 * Servers that store lines their own way serve the same message with other line ends; the canonical digest is what stays equal.
 */
export function canonicalDigestOf(body: Literal): Buffer {
  const bytes = body.chunks.length === 1 && body.chunks[0] ? body.chunks[0] : Buffer.concat(body.chunks);
  if (isCanonical(bytes)) return hash('sha256', bytes, 'buffer');
  const sha = createHash('sha256');
  let start = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte !== lf && byte !== cr) continue;
    sha.update(bytes.subarray(start, at));
    sha.update(crlf);
    if (byte === cr && bytes[at + 1] === lf) at++;
    start = at + 1;
  }
  if (start < bytes.length) {
    sha.update(bytes.subarray(start));
    sha.update(crlf);
  }
  return sha.digest();
}

function isCanonical(bytes: Buffer): boolean {
  if (bytes.length === 0) return true;
  if (bytes.length < 2 || bytes[bytes.length - 1] !== lf) return false;
  for (let at = bytes.indexOf(lf); at !== -1; at = bytes.indexOf(lf, at + 1)) {
    if (at === 0 || bytes[at - 1] !== cr) return false;
  }
  for (let at = bytes.indexOf(cr); at !== -1; at = bytes.indexOf(cr, at + 1)) {
    if (bytes[at + 1] !== lf) return false;
  }
  return true;
}

const identifyingFields = /^(message-id|date|from|subject):/i;

/**
 * SHA-256 over the identifying header fields of a header block: name in lower case, unfolded, blanks collapsed, sorted,
 * so that a server's own folding, order or letter case of field names makes no difference.
 */
export function headerKeyOf(header: Buffer): Buffer {
  const unfolded = header
    .toString('latin1')
    .replace(/\r\n|\r/g, '\n')
    .replace(/\n[ \t]+/g, ' ');
  const fields: string[] = [];
  for (const line of unfolded.split('\n')) {
    if (line === '') {
      if (fields.length > 0) break;
      continue;
    }
    if (!identifyingFields.test(line)) continue;
    const colon = line.indexOf(':');
    fields.push(
      `${line.slice(0, colon).trim().toLowerCase()}:${line
        .slice(colon + 1)
        .replace(/[ \t]+/g, ' ')
        .trim()}`,
    );
  }
  return hash('sha256', fields.sort().join('\n'), 'buffer');
}
