/**
 * Names of folders as names of files, and back. Whatever a server calls a folder, its file names are harmless on every
 * system and stay inside the tree, people can read them, and the name can be had back from them alone:
 *
 * - Characters that mean something to a file system, a shell or a terminal are written as `%2F`, the bytes of their UTF-8;
 *   so are a dot or blank at the beginning, a dot or blank at the end, and `%` itself. Half a surrogate is `%uD83D`.
 * - Of a name that means something else as a whole (`CON`, `cur`, `..`), or that would be taken for its neighbour's
 *   (`Work` beside `work`), the first letter is written so.
 * - No name at all is `%_`.
 * - A name too long for one file name goes on in a directory below: the first part ends in a lone `%`.
 */

const empty = '%_';

/** Longest part of a name in bytes: file systems take 255, and programs put something behind it. */
const maxBytes = 180;

/*
 * Controls, what separates or means something on some file system, and what is not seen: bidi controls, zero-width
 * characters, separators of lines, private and unassigned ones are left to the eye.
 */
const unsafe =
  /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\u{FFF9}-\u{FFFB}%/\\:*?"<>|]/u;

/** Names of devices on Windows, with anything behind a dot; directories of a Maildir; ours. */
const taken =
  /^(?:(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:\..*)?|cur|new|tmp|\.?imap-migrate.*|index\.html)$/iu;

/** Endings by which files are told from folders. */
const ending = /\.(?=(?:mbox|sbd|msf|eml|gz|zst|lock|db|html)$)/iu;

/** How a folder is called on the disk. */
export interface NameOptions {
  /** So many letters at the beginning are written as their bytes: it would be taken for another name otherwise. */
  readonly escaped?: number;
}

/** The file names that stand for a segment of a folder's name, outermost first: one, but for long names. */
export function toFileNames(segment: string, { escaped = 0 }: NameOptions = {}): string[] {
  const pieces: string[] = [];
  let piece: string[] = [];
  let bytes = 0;
  for (const [index, character] of [...segment].entries()) {
    const unit = index < escaped ? escapeAll(character) : escapeUnsafe(character);
    if (bytes + Buffer.byteLength(unit) > maxBytes) {
      pieces.push(harmless(piece));
      piece = [];
      bytes = 0;
    }
    piece.push(unit);
    bytes += Buffer.byteLength(unit);
  }
  return [...pieces.map((name) => `${name}%`), harmless(piece)];
}

/** The same as one name, however long it gets: for formats that shorten names in a way of their own. */
export function toFileName(segment: string, { escaped = 0 }: NameOptions = {}): string {
  const units = Array.from(segment, (character, index) =>
    index < escaped ? escapeAll(character) : escapeUnsafe(character),
  );
  return harmless(units);
}

/** A piece of a name, a character or its escape each, that may stand as a name of its own. */
function harmless(units: readonly string[]): string {
  const name = units.join('').replace(ending, '%2E') || empty;
  const isTaken = taken.test(name);
  return name.replace(isTaken ? /^./u : /^[. ]/, escapeAll).replace(/[. ]$/, escapeAll);
}

function escapeUnsafe(character: string): string {
  return unsafe.test(character) ? escapeAll(character) : character;
}

function escapeAll(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code >= 0xd800 && code <= 0xdfff) return `%u${code.toString(16).toUpperCase()}`;
  return Array.from(Buffer.from(character), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}

/** True where the name goes on in a directory below. */
export function isContinued(fileName: string): boolean {
  return /%$/.test(fileName);
}

/** The segment that file names stand for. What nobody has encoded stands for itself. */
export function fromFileNames(fileNames: readonly string[]): string {
  const name = fileNames.map((part) => (isContinued(part) ? part.slice(0, -1) : part)).join('');
  if (name === empty) return '';
  return name.replace(/%u[0-9A-F]{4}|(?:%[0-9A-F]{2})+/g, (written) => {
    if (written.startsWith('%u')) return String.fromCharCode(Number.parseInt(written.slice(2), 16));
    const bytes = Buffer.from(written.replaceAll('%', ''), 'hex');
    const text = bytes.toString('utf8');
    return Buffer.from(text).equals(bytes) ? text : written;
  });
}

/** Equal for names that some file system takes for one, or an eye does. */
export function foldName(fileName: string): string {
  return fileName.normalize('NFC').toLowerCase().normalize('NFC');
}
