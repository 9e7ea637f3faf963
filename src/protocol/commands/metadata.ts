import { type Command, simpleCommand } from '../command.ts';
import type { Encoder } from '../encoder.ts';
import { UsageError } from '../errors.ts';
import { isSameFolder } from '../folder-naming.ts';
import type { FolderName, ResponseCode } from '../types.ts';

export interface MetadataOptions {
  /** Values above so many bytes stay away (RFC 5464 4.2.1). */
  readonly maxSize?: number | undefined;
  /** Also entries so many levels below the named ones. */
  readonly depth?: 0 | 1 | 'infinity' | undefined;
}

export interface MetadataResult {
  /** Values by entry, `/private/comment`, in the server's order; null: there is none. */
  readonly entries: ReadonlyMap<string, Buffer | null>;
  /** Bytes of the longest value that `maxSize` kept away; null: none was. */
  readonly longestSkipped: number | null;
}

/** GETMETADATA (RFC 5464 4.2). An empty folder name asks for the server's own entries. */
export function getMetadataCommand(
  folder: FolderName,
  names: readonly string[],
  options: MetadataOptions,
): Command<MetadataResult> {
  const entries = new Map<string, Buffer | null>();
  return {
    name: 'GETMETADATA',
    pipelining: 'free',
    changesState: false,
    write(out) {
      if (names.length === 0) throw new UsageError('GETMETADATA needs an entry');
      out.raw('GETMETADATA');
      writeOptions(out, options);
      out.sp().mailbox(folder).raw(' (');
      names.forEach((name, index) => {
        if (index > 0) out.sp();
        out.astring(checkEntry(name));
      });
      out.raw(')');
    },
    accept(response) {
      if (response.kind !== 'data' || response.name !== 'METADATA') return false;
      const { lexer } = response;
      lexer.space();
      if (!isSameFolder(folder, lexer.astring())) return false;
      lexer.space();
      // RFC 5464 4.4.2: without values it is news.
      if (lexer.peek() !== 0x28) return false;
      lexer.list(() => {
        const name = lexer.astring();
        lexer.space();
        entries.set(name, lexer.nil() ? null : lexer.string());
      });
      return true;
    },
    finish: ({ code }) => ({ entries, longestSkipped: longestSkipped(code) }),
  };
}

function writeOptions(out: Encoder, { maxSize, depth }: MetadataOptions): void {
  if (maxSize === undefined && depth === undefined) return;
  out.raw(' (');
  if (maxSize !== undefined) out.raw('MAXSIZE ').number(maxSize);
  if (depth !== undefined) out.raw(maxSize === undefined ? '' : ' ').raw(`DEPTH ${depth}`);
  out.raw(')');
}

function longestSkipped(code: ResponseCode | null): number | null {
  const [, size] = (code?.name === 'METADATA' && /^LONGENTRIES (\d{1,15})$/i.exec(code.text)) || [];
  return size === undefined ? null : Number(size);
}

/** SETMETADATA (RFC 5464 4.3); null removes an entry. */
export function setMetadataCommand(
  folder: FolderName,
  entries: Readonly<Record<string, string | Buffer | null>>,
): Command<void> {
  return {
    ...simpleCommand('SETMETADATA', 'free', true),
    write(out) {
      const pairs = Object.entries(entries);
      if (pairs.length === 0) throw new UsageError('SETMETADATA needs an entry');
      out.raw('SETMETADATA').sp().mailbox(folder).raw(' (');
      pairs.forEach(([name, value], index) => {
        if (index > 0) out.sp();
        out.astring(checkEntry(name)).sp();
        writeValue(out, value);
      });
      out.raw(')');
    },
  };
}

/** RFC 5464 3.1: names begin with a slash, and have no wildcards, double slashes or slash at the end. */
function checkEntry(name: string): string {
  if (!/^(\/[\x21-\x29\x2b-\x2e\x30-\x7e]+)+$/.test(name) || name.includes('%')) {
    throw new UsageError(`${JSON.stringify(name.slice(0, 40))} is no metadata entry`);
  }
  return name;
}

/** NIL, a string, or bytes that may hold NUL as a literal8 (RFC 5464 5). */
function writeValue(out: Encoder, value: string | Buffer | null): void {
  if (value === null) out.raw('NIL');
  else if (Buffer.isBuffer(value) && value.includes(0)) out.literal8(value);
  else out.string(value);
}

/** One entry of the drafts before RFC 5464 (ANNOTATEMORE) with its attributes. */
export interface Annotation {
  /** As listed, one character per byte (latin1); empty: the server's own. */
  readonly rawFolder: string;
  readonly entry: string;
  /** `value.shared`, `value.priv`, `size.shared`, …; null: there is none. */
  readonly attributes: ReadonlyMap<string, Buffer | null>;
}

/** GETANNOTATION of the ANNOTATEMORE drafts, as Cyrus speaks it. */
export function getAnnotationCommand(folder: FolderName, entry: string, attribute: string): Command<Annotation[]> {
  const annotations: Annotation[] = [];
  return {
    name: 'GETANNOTATION',
    pipelining: 'free',
    changesState: false,
    write: (out) => void out.raw('GETANNOTATION').sp().mailbox(folder).sp().string(entry).sp().string(attribute),
    accept(response) {
      if (response.kind !== 'data' || response.name !== 'ANNOTATION') return false;
      const { lexer } = response;
      lexer.space();
      const rawFolder = lexer.astring();
      lexer.space();
      const name = lexer.astring();
      const attributes = new Map<string, Buffer | null>();
      lexer.space();
      lexer.list(() => {
        const key = lexer.astring();
        lexer.space();
        attributes.set(key, lexer.nil() ? null : lexer.string());
      });
      annotations.push({ rawFolder, entry: name, attributes });
      return true;
    },
    finish: () => annotations,
  };
}

/** SETANNOTATION of the ANNOTATEMORE drafts; null removes a value. */
export function setAnnotationCommand(
  folder: FolderName,
  entry: string,
  attributes: Readonly<Record<string, string | Buffer | null>>,
): Command<void> {
  return {
    ...simpleCommand('SETANNOTATION', 'free', true),
    write(out) {
      const pairs = Object.entries(attributes);
      if (pairs.length === 0) throw new UsageError('SETANNOTATION needs an attribute');
      out.raw('SETANNOTATION').sp().mailbox(folder).sp().string(entry).raw(' (');
      pairs.forEach(([name, value], index) => {
        if (index > 0) out.sp();
        out.string(name).sp();
        if (value === null) out.raw('NIL');
        else out.string(value);
      });
      out.raw(')');
    },
  };
}
