/**
 * A folder's place in the account, free of how one server spells it.
 *
 * - `INBOX` (in any case, RFC 3501 5.1) is the inbox; every other name keeps its case.
 * - A name below the personal namespace's prefix loses the prefix: with the prefix `INBOX.`, `INBOX.Sent` is the
 *   top-level folder `Sent`, not a child of the inbox.
 * - With another prefix, `INBOX/Sub` is a child of the inbox. Where the target puts everything below `INBOX.`, such a
 *   child and a top-level folder of the same name have one name; the caller sees that as a collision.
 * - A name outside the personal namespace (`shared.team`) is taken as it stands.
 */
import type { Naming } from './types.ts';

export interface FolderPath {
  /** The inbox itself (no segments) or a folder below it. */
  readonly inbox: boolean;
  /** From the top; never holds an empty segment. */
  readonly segments: readonly string[];
}

/** What joins the segments of a path where the target has no hierarchy: `A/B` becomes the one name `A.B`. */
const flatJoin = '.';

/** True for the one name that is the same in any case. */
export function isInbox(name: string): boolean {
  return name.length === 5 && name.toUpperCase() === 'INBOX';
}

/** The prefix with its delimiter, `INBOX` in capitals: a setting of `inbox` or `INBOX` means `INBOX.` as well. */
export function prefixOf(naming: Naming): string {
  const { prefix, delimiter } = naming;
  if (!isInbox(prefix.slice(0, 5))) return prefix;
  const rest = prefix.slice(5);
  return `INBOX${rest === '' && delimiter !== null ? delimiter : rest}`;
}

/**
 * The place that `name` stands for on the side that `naming` describes. `delimiter` is the folder's own
 * (`null`: a flat name). Empty segments (`a//b`, `a/`) are dropped; a name of nothing else gives no segments.
 */
export function parsePath(name: string, delimiter: string | null, naming: Naming): FolderPath {
  if (isInbox(name)) return { inbox: true, segments: [] };
  if (delimiter === null) return { inbox: false, segments: name === '' ? [] : [name] };
  const prefix = prefixOf(naming);
  if (prefix !== '' && toCanonicalInbox(name, delimiter).startsWith(prefix) && name.length > prefix.length) {
    return { inbox: false, segments: split(name.slice(prefix.length), delimiter, naming) };
  }
  const segments = split(name, delimiter, naming);
  const [first = ''] = segments;
  return isInbox(first) ? { inbox: true, segments: segments.slice(1) } : { inbox: false, segments };
}

/** A name for the other side, and what had to change besides delimiter and prefix. */
export interface FormattedName {
  readonly name: string;
  /** Segments that hold the target's delimiter: it became `_` there. */
  readonly replaced: readonly string[];
}

/** The name of `path` on the side that `naming` describes. `path` has segments, or is the inbox. */
export function formatPath(path: FolderPath, naming: Naming): FormattedName {
  if (path.inbox && path.segments.length === 0) return { name: 'INBOX', replaced: [] };
  const { delimiter } = naming;
  const prefix = prefixOf(naming);
  const root = path.inbox && !(delimiter !== null && prefix === `INBOX${delimiter}`) ? ['INBOX'] : [];
  const below = formatBelow(path.segments, naming);
  return { name: prefix + [...root, below.name].join(delimiter ?? flatJoin), replaced: below.replaced };
}

/** `segments` as they are written below a folder. */
export function formatBelow(
  segments: readonly string[],
  { delimiter, escaped }: Pick<Naming, 'delimiter' | 'escaped'>,
): FormattedName {
  if (escaped === true && delimiter !== null) {
    return { name: segments.map((segment) => escapeSegment(segment, delimiter)).join(delimiter), replaced: [] };
  }
  if (delimiter === null) return { name: segments.join(flatJoin), replaced: [] };
  const stand = delimiter === '_' ? '-' : '_';
  return {
    name: segments.map((segment) => segment.replaceAll(delimiter, stand)).join(delimiter),
    replaced: segments.filter((segment) => segment.includes(delimiter)),
  };
}

/** `name` followed by `segments` on a side with this delimiter: `Sent` and `2023` make `Sent/2023`. */
export function appendBelow(
  name: string,
  segments: readonly string[],
  naming: Pick<Naming, 'delimiter' | 'escaped'>,
): FormattedName {
  if (segments.length === 0) return { name, replaced: [] };
  const below = formatBelow(segments, naming);
  return { name: name + (naming.delimiter ?? flatJoin) + below.name, replaced: below.replaced };
}

/** Equal for paths that are one folder: composed and decomposed accents (NFC, NFD) are the same letter to people. */
export function pathKey(path: FolderPath, depth = path.segments.length): string {
  return `${path.inbox ? 'I' : 'T'}\0${path.segments.slice(0, depth).join('\0').normalize('NFC')}`;
}

/** `inbox.Sent` -> `INBOX.Sent`: the first segment spelt as RFC 3501 spells it. */
export function toCanonicalInbox(name: string, delimiter: string | null): string {
  const head = name.slice(0, 5);
  const ends = name.length === 5 || (delimiter !== null && name.startsWith(delimiter, 5));
  return ends && isInbox(head) ? `INBOX${name.slice(5)}` : name;
}

function split(name: string, delimiter: string, { escaped }: Pick<Naming, 'escaped'>): string[] {
  const segments = name.split(delimiter).filter((segment) => segment !== '');
  return escaped === true ? segments.map((segment) => unescapeSegment(segment, delimiter)) : segments;
}

function escapeSegment(segment: string, delimiter: string): string {
  return segment.replaceAll('%', '%25').replaceAll(delimiter, escapeOf(delimiter));
}

function unescapeSegment(segment: string, delimiter: string): string {
  return segment.replaceAll(escapeOf(delimiter), delimiter).replaceAll('%25', '%');
}

/** `%2F` for `/`. */
function escapeOf(delimiter: string): string {
  return `%${delimiter.charCodeAt(0).toString(16).toUpperCase()}`;
}
