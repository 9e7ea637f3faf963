/**
 * What programs write about a message into its header when it is in an mbox. These fields stay in the message: they are
 * bytes of the file.
 */
import { isFlag, keywords, systemFlags } from '../protocol/index.ts';
import { fromWord, startsWith } from './mbox-from.ts';

const wanted =
  /^(status|x-status|x-keywords|x-mozilla-status2?|x-mozilla-keys|x-gmail-labels|content-length|x-imap|subject):[ \t]*(.*)$/is;

const firstLetters = Buffer.from('sSxXcC');

/** Fields by name in lower case, unfolded, as latin1; of several of one name the first. */
export type MboxHeader = ReadonlyMap<string, string>;

/** Reads the fields that mean something here. `bytes`: the header, and whatever follows. */
export function parseMboxHeader(bytes: Buffer): MboxHeader {
  const fields = new Map<string, string>();
  const end = headerLength(bytes);
  for (let at = 0; at < end; at = fieldEnd(bytes, at, end)) {
    // Most fields begin with other letters.
    if (!firstLetters.includes(bytes[at] ?? 0)) continue;
    const field = wanted.exec(bytes.toString('latin1', at, fieldEnd(bytes, at, end)));
    if (field === null) continue;
    const [, name = '', value = ''] = field;
    if (!fields.has(name.toLowerCase())) fields.set(name.toLowerCase(), value.replace(/\r?\n/g, '').trim());
  }
  return fields;
}

/** Behind the field at `at`, with the lines that go on with it. */
function fieldEnd(bytes: Buffer, at: number, end: number): number {
  for (let line = at; ; ) {
    const next = bytes.indexOf(0x0a, line) + 1;
    if (next === 0 || next >= end) return end;
    if (bytes[next] !== 0x20 && bytes[next] !== 0x09) return next;
    line = next;
  }
}

/** Bytes of the header at the beginning of `bytes`, with the empty line behind it where that is there. */
export function headerLength(bytes: Buffer): number {
  for (let line = 0; line < bytes.length; ) {
    if (bytes[line] === 0x0a) return line + 1;
    if (bytes[line] === 0x0d && bytes[line + 1] === 0x0a) return line + 2;
    // The next message, of one that is all header.
    if (bytes[line] === 0x46 && startsWith(bytes.subarray(line, line + fromWord.length), fromWord)) return line;
    const end = bytes.indexOf(0x0a, line);
    if (end === -1) return bytes.length;
    line = end + 1;
  }
  return bytes.length;
}

const written =
  /^(?:x-)?(?:status|uid|keywords|imap|imapbase|mozilla-status2?|mozilla-keys|content-length|lines):(?:.*[^\r\n])?\n/im;

/**
 * True when a mail program has put fields of its own into a header. Programs end their lines by LF; in mail as IMAP has it
 * all lines end in CRLF, fields of these names included.
 */
export function isEdited(bytes: Buffer): boolean {
  return written.test(bytes.toString('latin1', 0, headerLength(bytes)));
}

/** Bits of `X-Mozilla-Status`. */
const mozillaFlags: readonly (readonly [number, string])[] = [
  [0x0001, systemFlags.seen],
  [0x0002, systemFlags.answered],
  [0x0004, systemFlags.flagged],
  // Deleted or moved away, and not yet compacted.
  [0x0008, systemFlags.deleted],
  [0x1000, keywords.forwarded],
];

const letters: Readonly<Record<string, string>> = {
  R: systemFlags.seen,
  A: systemFlags.answered,
  F: systemFlags.flagged,
  D: systemFlags.deleted,
  T: systemFlags.draft,
};

/** Flags as mail programs keep them in an mbox; `null`: no program has. */
export function flagsOfHeader(header: MboxHeader): string[] | null {
  const status = header.get('status');
  const extra = header.get('x-status');
  const mozilla = header.get('x-mozilla-status');
  const mozilla2 = header.get('x-mozilla-status2');
  const words = [header.get('x-keywords'), header.get('x-mozilla-keys')];
  if ([status, extra, mozilla, mozilla2, ...words].every((field) => field === undefined)) return null;
  const flags = new Set<string>();
  for (const letter of `${status ?? ''}${extra ?? ''}`) {
    const flag = letters[letter];
    if (flag !== undefined) flags.add(flag);
  }
  const bits = hexOf(mozilla);
  for (const [bit, flag] of mozillaFlags) if ((bits & bit) !== 0) flags.add(flag);
  addMozillaBits(hexOf(mozilla2), flags);
  for (const word of words.join(' ').split(/[\s,]+/)) if (isFlag(word) && !word.startsWith('\\')) flags.add(word);
  return [...flags];
}

function addMozillaBits(bits: number, flags: Set<string>): void {
  if ((bits & 0x0040_0000) !== 0) flags.add(keywords.mdnSent);
  const label = (bits & 0x0e00_0000) >>> 25;
  if (label > 0) flags.add(`$label${label}`);
}

function hexOf(text: string | undefined): number {
  return text !== undefined && /^[0-9a-f]{1,8}$/i.test(text) ? Number.parseInt(text, 16) : 0;
}

/** The message that some programs put first into a file and show to nobody: numbers of theirs about the folder. */
export function isFolderData(header: MboxHeader): boolean {
  return header.has('x-imap') && /^DON'T DELETE THIS MESSAGE/.test(header.get('subject') ?? '');
}
