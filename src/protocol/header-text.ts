import { isUtf8 } from 'node:buffer';

/** Longer values are no words of a header, and decoding is for reading only. */
const maxDecodedChars = 1024 * 1024;

/** RFC 2047 2: `=?charset?encoding?text?=`, a language behind the charset (RFC 2231 5) included. */
const encodedWord = /=\?([^?*\s]{1,40})(?:\*[^?\s]{0,40})?\?([bq])\?([^?]*)\?=/gi;

/** Bytes given as latin1, as text: UTF-8 (RFC 6532) where they are that, else unchanged. */
export function toUnicode(raw: string): string {
  if (isAscii(raw)) return raw;
  const bytes = Buffer.from(raw, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : raw;
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}

/**
 * The text of a header value given as latin1: encoded words (RFC 2047) decoded, spaces between two of them dropped, and
 * UTF-8 read as such. A word in a charset nobody knows, or not well formed, stays as it is: nothing is thrown.
 */
export function decodeHeader(raw: string): string {
  if (!raw.includes('=?') || raw.length > maxDecodedChars) return toUnicode(raw);
  let text = '';
  let end = 0;
  let open: OpenWord | null = null;
  for (const match of raw.matchAll(encodedWord)) {
    const [whole, charset = '', encoding = '', content = ''] = match;
    const bytes = /b/i.test(encoding) ? Buffer.from(content, 'base64') : decodeQ(content);
    const between = raw.slice(end, match.index);
    end = match.index + whole.length;
    const follows = open !== null && /^\s*$/.test(between);
    if (open !== null && follows && open.charset === charset.toLowerCase()) {
      // Mailers cut between the bytes of one character: words of one charset that touch are decoded together.
      open.chunks.push(bytes);
      open.source += between + whole;
      continue;
    }
    text += closeWord(open) + (follows ? '' : toUnicode(between));
    open = { charset: charset.toLowerCase(), chunks: [bytes], source: whole };
  }
  return text + closeWord(open) + toUnicode(raw.slice(end));
}

/** Encoded words of one charset that have been read and not yet decoded. */
interface OpenWord {
  readonly charset: string;
  readonly chunks: Buffer[];
  source: string;
}

function closeWord(word: OpenWord | null): string {
  if (word === null) return '';
  try {
    return new TextDecoder(word.charset).decode(Buffer.concat(word.chunks));
  } catch {
    // A charset that this platform does not know: the word stays as it is, as RFC 2047 6.2 has it.
    return word.source;
  }
}

/** RFC 2047 4.2: `_` is a space, `=XX` a byte. */
function decodeQ(content: string): Buffer {
  const text = content
    .replaceAll('_', ' ')
    .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(text, 'latin1');
}
