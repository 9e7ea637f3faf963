import { UsageError } from './errors.ts';

/**
 * A Unicode mailbox name in modified UTF-7 (RFC 3501 section 5.1.3): printable ASCII as it is, `&` as `&-`, all else as
 * base64 of UTF-16. Throws `UsageError` for a lone surrogate, which is no character.
 */
export function encodeFolderName(name: string): string {
  if (hasLoneSurrogate(name)) throw new UsageError('a folder name holds half a character (a lone surrogate)');
  return name.replace(/&|[^\x20-\x7e]+/g, (run) => (run === '&' ? '&-' : `&${encodeRun(run)}-`));
}

/**
 * The Unicode name of a mailbox, or null when the raw name (bytes as latin1) is not modified UTF-7 in its one canonical
 * form. Where it is not null, `encodeFolderName` gives back exactly `raw`; where it is, keep the raw name.
 */
export function decodeFolderName(raw: string): string | null {
  let name = '';
  let at = 0;
  for (;;) {
    const shift = raw.indexOf('&', at);
    if (shift === -1) break;
    const end = raw.indexOf('-', shift);
    if (end === -1) return null;
    name += raw.slice(at, shift);
    name += end === shift + 1 ? '&' : decodeRun(raw.slice(shift + 1, end));
    at = end + 1;
  }
  name += raw.slice(at);
  // Everything a strict decoder would have to look for - stray bits, padding, lone surrogates, ASCII in base64, a run
  // split in two, bytes outside ASCII - makes the way back differ.
  return !hasLoneSurrogate(name) && encodeFolderName(name) === raw ? name : null;
}

function hasLoneSurrogate(text: string): boolean {
  return /\p{Surrogate}/u.test(text);
}

function encodeRun(run: string): string {
  return Buffer.from(run, 'utf16le').swap16().toString('base64').replace(/=+$/, '').replaceAll('/', ',');
}

function decodeRun(run: string): string {
  const bytes = Buffer.from(run.replaceAll(',', '/'), 'base64');
  const pairs = bytes.subarray(0, bytes.length - (bytes.length % 2));
  return Buffer.from(pairs).swap16().toString('utf16le');
}
