/**
 * The outline of a message: the fields of its header that people look for, and the headers of its parts that are files. It
 * is found by the lines that separate the parts; nothing is decoded, and no more is kept than the limits allow, whatever the
 * message is made of.
 */
import type { OpenedMessage } from '../archive/store.ts';

/** Nothing that people have written comes near these. */
export const outlineLimits = {
  /** Bytes of one field, with its folded lines; it is cut there. */
  fieldBytes: 16 * 1024,
  /** Bytes of one header; what follows is not looked at. */
  headerBytes: 256 * 1024,
  /** Parts that are looked at. */
  parts: 1_000,
  /** Parts that are listed as files. */
  files: 100,
  /** Multiparts inside each other. */
  depth: 20,
} as const;

/** Fields as they stand there, name and folded lines and all, a character for each byte. */
export type RawFields = Readonly<Partial<Record<FieldName, string>>>;

const fieldNames = [
  'from',
  'to',
  'cc',
  'subject',
  'date',
  'message-id',
  'content-type',
  'content-disposition',
  'content-id',
] as const;

export type FieldName = (typeof fieldNames)[number];

export interface MessageOutline {
  readonly header: RawFields;
  /** The headers of parts that are, or may be, attached files. */
  readonly files: readonly RawFields[];
  /** True: a limit was met, and there may be more. */
  readonly cut: boolean;
}

const lf = 0x0a;
const dash = 0x2d;
const delimiter = Buffer.from('\n--');
/** RFC 2046 5.1.1: a boundary has at most 70 characters; `--` on both sides, and some padding behind. */
const maxDelimiterLine = 200;

/** Reads a message to its end, or to where the limits stop it. @throws what its slices throw */
export async function readOutline(message: OpenedMessage): Promise<MessageOutline> {
  const scan = new OutlineScan();
  for await (const slice of message.slices) {
    scan.add(slice);
    if (scan.done) break;
  }
  return scan.end();
}

/** The outline of a message that is there as a whole. */
export function outlineOf(slices: readonly Buffer[]): MessageOutline {
  const scan = new OutlineScan();
  for (const slice of slices) {
    if (scan.done) break;
    scan.add(slice);
  }
  return scan.end();
}

interface OpenHeader {
  readonly fields: Partial<Record<FieldName, string>>;
  bytes: number;
  /** The field that a folded line would belong to. */
  last: FieldName | null;
}

class OutlineScan {
  /** The header that is being read; `null`: what is read is a body. */
  #header: OpenHeader | null = { fields: {}, bytes: 0, last: null };
  #top: RawFields | null = null;
  readonly #files: RawFields[] = [];
  /** Boundaries of the multiparts that are open, outermost first. */
  readonly #boundaries: string[] = [];
  #parts = 0;
  #cut = false;
  /** A line that has not ended yet. */
  #rest: Buffer | null = null;
  /** True: the rest of a line comes that nobody wants. */
  #skipping = false;
  done = false;

  add(slice: Buffer): void {
    let data = slice;
    if (this.#rest !== null) {
      data = Buffer.concat([this.#rest, slice]);
      this.#rest = null;
    }
    let at = 0;
    while (at < data.length && !this.done) {
      if (this.#skipping) at = this.#skipLine(data, at);
      else at = this.#header === null ? this.#inBody(data, at) : this.#inHeader(data, at);
    }
  }

  end(): MessageOutline {
    if (this.#rest !== null && !this.done) {
      if (this.#header !== null) this.#headerLine(this.#rest);
      else this.#bodyLine(this.#rest);
    }
    if (this.#header !== null) this.#endHeader(this.#header);
    return { header: this.#top ?? {}, files: this.#files, cut: this.#cut };
  }

  #skipLine(data: Buffer, at: number): number {
    const end = data.indexOf(lf, at);
    if (end === -1) return data.length;
    this.#skipping = false;
    return end + 1;
  }

  /** Reads the header's line at `at`; answers where to go on. */
  #inHeader(data: Buffer, at: number): number {
    const end = data.indexOf(lf, at);
    const length = (end === -1 ? data.length : end) - at;
    if (end === -1 && length <= outlineLimits.fieldBytes) return this.#keep(data, at);
    this.#skipping = end === -1;
    this.#headerLine(data.subarray(at, at + Math.min(length, outlineLimits.fieldBytes)));
    return end === -1 ? data.length : end + 1;
  }

  /** Reads the next line of the body that may separate parts, from the line at `at` on; answers where to go on. */
  #inBody(data: Buffer, at: number): number {
    if (data.length - at < 2) return data[at] === lf ? data.length : this.#keep(data, at);
    if (data[at] !== dash || data[at + 1] !== dash) {
      const before = data.indexOf(delimiter, at);
      return before === -1 ? this.#passOver(data, at) : before + 1;
    }
    const end = data.indexOf(lf, at);
    if (end === -1 && data.length - at <= maxDelimiterLine) return this.#keep(data, at);
    this.#skipping = end === -1;
    if (end !== -1) this.#bodyLine(data.subarray(at, end));
    return end === -1 ? data.length : end + 1;
  }

  /** No line in here separates parts, but the last one may begin to. */
  #passOver(data: Buffer, at: number): number {
    const lastLine = Math.max(at, data.lastIndexOf(lf) + 1);
    if (lastLine > at && data.length - lastLine === 1) return this.#keep(data, lastLine);
    this.#skipping = lastLine < data.length;
    return data.length;
  }

  #keep(data: Buffer, at: number): number {
    this.#rest = data.subarray(at);
    return data.length;
  }

  /** A line that is longer than a field may be comes without its rest. */
  #headerLine(line: Buffer): void {
    const header = this.#header;
    if (header === null) return;
    header.bytes += line.length + 1;
    const text = line.toString('latin1').replace(/\r$/, '');
    if (text === '') {
      this.#endHeader(header);
    } else if (header.bytes > outlineLimits.headerBytes) {
      this.#cut = true;
      this.#endHeader(header);
    } else if (/^[ \t]/.test(text)) {
      this.#fold(header, text);
    } else if (this.#isBoundary(text) !== null) {
      // A header without its empty line: the next part begins.
      this.#endHeader(header);
      this.#bodyLine(line);
    } else {
      const [, name = ''] = /^([!-9;-~]+)[ \t]*:/.exec(text) ?? [];
      const known = fieldNames.find((each) => each === name.toLowerCase()) ?? null;
      // The first of its kind counts: what comes behind was added by somebody else.
      header.last = known !== null && header.fields[known] === undefined ? known : null;
      if (header.last === null) return;
      header.fields[header.last] = text;
      if (line.length === outlineLimits.fieldBytes) this.#cut = true;
    }
  }

  #fold(header: OpenHeader, text: string): void {
    if (header.last === null) return;
    const whole = `${header.fields[header.last] ?? ''}\r\n${text}`;
    if (whole.length > outlineLimits.fieldBytes) this.#cut = true;
    header.fields[header.last] = whole.slice(0, outlineLimits.fieldBytes);
  }

  #endHeader({ fields }: OpenHeader): void {
    this.#header = null;
    const isTop = this.#top === null;
    if (isTop) this.#top = fields;
    const boundary = boundaryOf(fields['content-type'] ?? '');
    if (boundary !== null) {
      if (this.#boundaries.length < outlineLimits.depth) this.#boundaries.push(boundary);
      else this.#cut = true;
    } else if (isFile(fields)) {
      if (this.#files.length < outlineLimits.files) this.#files.push(fields);
      else this.#cut = true;
    }
    // A message that is one part has nothing behind its header that is looked for.
    if (this.#boundaries.length === 0) this.done = true;
  }

  #bodyLine(line: Buffer): void {
    if (line[0] !== dash || line[1] !== dash) return;
    const found = this.#isBoundary(line.toString('latin1').replace(/\r$/, ''));
    if (found === null) return;
    // Whatever is open inside has ended, said or not.
    this.#boundaries.length = found.isLast ? found.level : found.level + 1;
    if (found.isLast) {
      if (found.level === 0) this.done = true;
      return;
    }
    if (++this.#parts > outlineLimits.parts) {
      this.#cut = true;
      this.done = true;
      return;
    }
    this.#header = { fields: {}, bytes: 0, last: null };
  }

  #isBoundary(line: string): { readonly level: number; readonly isLast: boolean } | null {
    if (!line.startsWith('--') || line.length > maxDelimiterLine) return null;
    const text = line.trimEnd().slice(2);
    for (let level = this.#boundaries.length - 1; level >= 0; level--) {
      if (text === this.#boundaries[level]) return { level, isLast: false };
      if (text === `${this.#boundaries[level]}--`) return { level, isLast: true };
    }
    return null;
  }
}

/** The boundary of a multipart; `null`: the part is none. */
function boundaryOf(contentType: string): string | null {
  if (!/^content-type[ \t]*:\s*multipart\//i.test(contentType)) return null;
  const [, quoted, plain] = /;\s*boundary\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))/is.exec(contentType) ?? [];
  const boundary = quoted?.replace(/\r\n/g, '').replace(/\\(.)/gs, '$1') ?? plain ?? '';
  return boundary.trimEnd() === '' ? null : boundary.trimEnd();
}

/** True for what a person would call an attachment, not for the text of the message, and not for pictures inside it. */
function isFile(fields: RawFields): boolean {
  const disposition = fields['content-disposition'] ?? '';
  if (/:\s*attachment/i.test(disposition)) return true;
  const type = fields['content-type'] ?? '';
  const isNamed = /[;\s](?:file)?name(?:\*\d*)?\*?\s*=/i.test(`${disposition};${type}`);
  const isInside = fields['content-id'] !== undefined && /:\s*image\//i.test(type);
  if (isInside) return false;
  return isNamed || /:\s*(?!text\/|multipart\/)[\w.+-]+\/[\w.+-]+/i.test(type);
}
