/**
 * The INI files of accounts, read as IMAPClient's are, except that values are taken literally.
 *
 * - `key = value` or `key: value`: the first `=` or `:` separates. Keys may be written in any case.
 * - A value is all that follows, without blanks at its ends. Nothing in it has a meaning: no quotes, no backslashes, no
 *   `%`, no comments behind it.
 * - `;` and `#` start a comment at the beginning of a line only.
 * - `[DEFAULT]` may be left out; other sections stand for further accounts.
 * - A line that is indented deeper than the key above it would go on with its value elsewhere. Here that is an error.
 */
import { ConfigError } from '../errors.ts';

export interface IniEntry {
  /** Lower case. */
  readonly key: string;
  readonly value: string;
  /** Counted from 1. */
  readonly line: number;
}

export interface IniSection {
  readonly name: string;
  readonly line: number;
  /** By key, in the order of the file. */
  readonly entries: ReadonlyMap<string, IniEntry>;
}

/** The section every other one builds on. */
export const defaultSection = 'DEFAULT';

/**
 * The sections of a file by name, `DEFAULT` (however it is spelt) always among them. `file` is only for messages.
 * @throws ConfigError with file and line for anything that is not UTF-8, not an INI line, or there twice. A message
 * quotes keys and section names, never a value: it may be a secret.
 */
export function parseIni(bytes: Uint8Array, file: string): ReadonlyMap<string, IniSection> {
  const sections = new Map<string, IniSection & { readonly entries: Map<string, IniEntry> }>();
  let section = { name: defaultSection, line: 1, entries: new Map<string, IniEntry>() };
  let explicitDefault = false;
  sections.set(section.name, section);
  let keyIndent: number | null = null;

  for (const [index, raw] of decodeLines(bytes, file).entries()) {
    const line = index + 1;
    const fail = (what: string): never => {
      throw new ConfigError(`${file}:${line}: ${what}`);
    };
    const text = raw.replace(/^[ \t]+|[ \t]+$/g, '');
    if (text === '' || text.startsWith(';') || text.startsWith('#')) continue;
    if (/\p{Cc}/u.test(text.replaceAll('\t', ''))) fail('holds a control character: retype the line');

    const indent = raw.length - raw.replace(/^[ \t]+/, '').length;
    if (keyIndent !== null && indent > keyIndent) {
      fail('is indented below the line above: a value cannot go on here; remove the blanks at the beginning');
    }
    const header = /^\[(.+)\]$/.exec(text)?.[1]?.trim();
    if (header !== undefined) {
      const name = header.toUpperCase() === defaultSection ? defaultSection : header;
      if (name === defaultSection ? explicitDefault : sections.has(name)) fail(`section [${name}] is there twice`);
      explicitDefault ||= name === defaultSection;
      section = sections.get(name) ?? { name, line, entries: new Map<string, IniEntry>() };
      sections.set(name, section);
      keyIndent = null;
      continue;
    }
    const separator = text.search(/[=:]/);
    if (separator < 1) fail('is neither "key = value" nor a [section] nor a comment');
    const key = text.slice(0, separator).trimEnd().toLowerCase();
    const first = section.entries.get(key);
    if (first !== undefined) fail(`${key} is there twice (first in line ${first.line}): keep one`);
    section.entries.set(key, { key, value: text.slice(separator + 1).replace(/^[ \t]+/, ''), line });
    keyIndent = indent;
  }
  return sections;
}

function decodeLines(bytes: Uint8Array, file: string): string[] {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).split(/\r?\n/);
  } catch (error) {
    const line = firstBadLine(bytes);
    throw new ConfigError(`${file}:${line}: is not UTF-8 text: save the file as UTF-8`, { cause: error });
  }
}

function firstBadLine(bytes: Uint8Array): number {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let line = 1;
  let start = 0;
  try {
    for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, start)) {
      decoder.decode(bytes.subarray(start, end));
      line += 1;
      start = end + 1;
    }
  } catch {
    // The line that does not decode is what is looked for.
  }
  return line;
}
