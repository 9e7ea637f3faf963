/** Names of message files in an eml tree: `2026-11-20 09.30 Quarterly report.123.eml`. */
import { decodeHeader, type Literal } from '../protocol/index.ts';

export type Compression = 'none' | 'gzip' | 'zstd';

const endings: Readonly<Record<Compression, string>> = { none: '.eml', gzip: '.eml.gz', zstd: '.eml.zst' };

/** A subject is looked for in so many bytes, and takes so many in a name. */
const maxHeaderBytes = 32 * 1024;
const maxSubjectBytes = 90;

const unsafe =
  /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\u{FFF9}-\u{FFFB}\u{FFFD}%/\\:*?"<>|\s]+/gu;

/** The name of a message's file. `dateMs`: INTERNALDATE, told in UTC; NaN: there is none. */
export function emlName(
  message: { readonly uid: number; readonly dateMs: number },
  front: Literal | null,
  compression: Compression,
): string {
  const date = new Date(message.dateMs);
  const day = Number.isNaN(date.getTime()) ? 'undated' : date.toISOString().slice(0, 16).replace('T', ' ');
  const subject = front === null ? '' : subjectOf(front);
  return `${[day.replace(':', '.'), subject].filter(Boolean).join(' ')}.${message.uid}${endings[compression]}`;
}

/** What a file's name tells; `null`: it is no message. */
export function parseEmlName(name: string): { readonly uid: number | null; readonly compression: Compression } | null {
  const match = /(?:\.([1-9]\d{0,9}))?\.eml(\.gz|\.zst)?$/i.exec(name);
  if (match === null || name.startsWith('.')) return null;
  const uid = Number(match[1] ?? 0);
  const suffix = match[2]?.toLowerCase();
  const compression = suffix === '.gz' ? 'gzip' : suffix === '.zst' ? 'zstd' : 'none';
  return { uid: uid > 0 && uid <= 0xffff_ffff ? uid : null, compression };
}

/** The subject, as far as it may stand in a name. */
function subjectOf({ chunks }: Literal): string {
  const header = frontOf(chunks).toString('latin1');
  const end = /\r?\n\r?\n/.exec(header)?.index ?? header.length;
  const field = /^subject:((?:.*(?:\r?\n[ \t])?)*)/im.exec(header.slice(0, end))?.[1] ?? '';
  const text = decodeHeader(field.replace(/\r?\n/g, '')).replace(unsafe, ' ').trim();
  let name = '';
  for (const character of text) {
    if (Buffer.byteLength(name + character) > maxSubjectBytes) break;
    name += character;
  }
  return name.replace(/[. ]+$/, '');
}

function frontOf(chunks: readonly Buffer[]): Buffer {
  const [first] = chunks;
  if (first === undefined) return Buffer.alloc(0);
  if (chunks.length === 1 || first.length >= maxHeaderBytes) return first.subarray(0, maxHeaderBytes);
  const slices: Buffer[] = [];
  let bytes = 0;
  for (const chunk of chunks) {
    slices.push(chunk);
    bytes += chunk.length;
    if (bytes >= maxHeaderBytes) break;
  }
  return Buffer.concat(slices).subarray(0, maxHeaderBytes);
}
