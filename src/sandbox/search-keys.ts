import { internalDateToEpochMs } from '../protocol/datetime.ts';
import { bad } from './answer.ts';
import type { Arguments } from './arguments.ts';
import type { StoredMessage } from './mailbox.ts';
import { headerEnd, parseFields } from './mime.ts';
import type { Selection } from './selection.ts';
import type { SandboxSession } from './session.ts';

/** Whether a message, at this index of the view, is found. */
export type SearchTest = (message: StoredMessage, index: number) => boolean;

interface KeyContext {
  readonly session: SandboxSession;
  readonly selection: Selection;
  readonly args: Arguments;
  usesModSeq: boolean;
  depth: number;
}

/** The keys of one SEARCH, each after a space, all to be met. @throws BAD */
export function parseSearchKeys(
  session: SandboxSession,
  selection: Selection,
  args: Arguments,
): { test: SearchTest; usesModSeq: boolean } {
  const context: KeyContext = { session, selection, args, usesModSeq: false, depth: 0 };
  const tests: SearchTest[] = [];
  do {
    args.space();
    tests.push(parseKey(context));
  } while (!args.atEnd);
  return { test: every(tests), usesModSeq: context.usesModSeq };
}

function every(tests: readonly SearchTest[]): SearchTest {
  return (message, index) => tests.every((test) => test(message, index));
}

/** Keys that take no argument. */
const plainKeys: Readonly<Record<string, (selection: Selection) => SearchTest>> = {
  ALL: () => () => true,
  ANSWERED: () => flag('\\Answered', true),
  UNANSWERED: () => flag('\\Answered', false),
  DELETED: () => flag('\\Deleted', true),
  UNDELETED: () => flag('\\Deleted', false),
  DRAFT: () => flag('\\Draft', true),
  UNDRAFT: () => flag('\\Draft', false),
  FLAGGED: () => flag('\\Flagged', true),
  UNFLAGGED: () => flag('\\Flagged', false),
  SEEN: () => flag('\\Seen', true),
  UNSEEN: () => flag('\\Seen', false),
  RECENT: (selection) => (message) => selection.isRecent(message),
  OLD: (selection) => (message) => !selection.isRecent(message),
  NEW: (selection) => (message) => selection.isRecent(message) && !message.flags.has('\\Seen'),
};

/** Keys with arguments. */
const argumentKeys: Readonly<Record<string, (context: KeyContext) => SearchTest>> = {
  UID: ({ selection, args }) =>
    inSet(
      selection,
      argument(args, () => args.sequenceSet()),
      true,
    ),
  KEYWORD: ({ args }) =>
    keyword(
      argument(args, () => args.flag()),
      true,
    ),
  UNKEYWORD: ({ args }) =>
    keyword(
      argument(args, () => args.flag()),
      false,
    ),
  LARGER: ({ args }) =>
    size(
      argument(args, () => args.number()),
      (a, b) => a > b,
    ),
  SMALLER: ({ args }) =>
    size(
      argument(args, () => args.number()),
      (a, b) => a < b,
    ),
  BEFORE: ({ args }) =>
    day(
      internalDay,
      argument(args, () => args.astring()),
      (a, b) => a < b,
    ),
  ON: ({ args }) =>
    day(
      internalDay,
      argument(args, () => args.astring()),
      (a, b) => a === b,
    ),
  SINCE: ({ args }) =>
    day(
      internalDay,
      argument(args, () => args.astring()),
      (a, b) => a >= b,
    ),
  SENTBEFORE: ({ args }) =>
    day(
      sentDay,
      argument(args, () => args.astring()),
      (a, b) => a < b,
    ),
  SENTON: ({ args }) =>
    day(
      sentDay,
      argument(args, () => args.astring()),
      (a, b) => a === b,
    ),
  SENTSINCE: ({ args }) =>
    day(
      sentDay,
      argument(args, () => args.astring()),
      (a, b) => a >= b,
    ),
  FROM: ({ args }) =>
    header(
      'from',
      argument(args, () => args.astring()),
    ),
  TO: ({ args }) =>
    header(
      'to',
      argument(args, () => args.astring()),
    ),
  CC: ({ args }) =>
    header(
      'cc',
      argument(args, () => args.astring()),
    ),
  BCC: ({ args }) =>
    header(
      'bcc',
      argument(args, () => args.astring()),
    ),
  SUBJECT: ({ args }) =>
    header(
      'subject',
      argument(args, () => args.astring()),
    ),
  HEADER: ({ args }) =>
    header(
      argument(args, () => args.astring()).toLowerCase(),
      argument(args, () => args.astring()),
    ),
  TEXT: ({ args }) =>
    text(
      argument(args, () => args.astring()),
      () => 0,
    ),
  BODY: ({ args }) =>
    text(
      argument(args, () => args.astring()),
      (body) => headerEnd(body, 0, body.length),
    ),
  NOT: (context) => {
    const test = argument(context.args, () => parseKey(context));
    return (message, index) => !test(message, index);
  },
  OR: (context) => {
    const left = argument(context.args, () => parseKey(context));
    const right = argument(context.args, () => parseKey(context));
    return (message, index) => left(message, index) || right(message, index);
  },
  MODSEQ: (context) => modSeq(context),
};

/** Nested lists, NOTs and ORs beyond this are refused. */
const deepest = 50;

function parseKey(context: KeyContext): SearchTest {
  const { args, selection } = context;
  context.depth += 1;
  if (context.depth > deepest) throw bad('Search is nested too deep');
  try {
    if (args.next === '(') return every(args.list(() => parseKey(context)));
    if (/[0-9*]/.test(args.next)) return inSet(selection, args.sequenceSet(), false);
    const name = args.keyword();
    const plain = Object.hasOwn(plainKeys, name) ? plainKeys[name] : undefined;
    if (plain !== undefined) return plain(selection);
    const key = Object.hasOwn(argumentKeys, name) ? argumentKeys[name] : undefined;
    if (key === undefined) throw bad(`Unknown argument ${name}`);
    return key(context);
  } finally {
    context.depth -= 1;
  }
}

function argument<T>(args: Arguments, take: () => T): T {
  args.space();
  return take();
}

function flag(name: string, wanted: boolean): SearchTest {
  return (message) => message.flags.has(name) === wanted;
}

function keyword(name: string, wanted: boolean): SearchTest {
  const lower = name.toLowerCase();
  return (message) => [...message.flags].some((each) => each.toLowerCase() === lower) === wanted;
}

function inSet(selection: Selection, set: string, byUid: boolean): SearchTest {
  const indices = new Set(selection.resolve(set, byUid));
  return (_message, index) => indices.has(index);
}

function size(limit: number, compare: (a: number, b: number) => boolean): SearchTest {
  return (message) => compare(message.reportedSize ?? message.body.length, limit);
}

/** Days are compared without time and zone, as each message states them (RFC 3501 6.4.4). */
function day(
  of: (message: StoredMessage) => number | null,
  date: string,
  compare: (a: number, b: number) => boolean,
): SearchTest {
  const wanted = dayNumber(date.padStart(11, '0'));
  if (wanted === null) throw bad('Invalid search date');
  return (message) => {
    const own = of(message);
    return own !== null && compare(own, wanted);
  };
}

function dayNumber(date: string): number | null {
  return internalDateToEpochMs(`${date} 00:00:00 +0000`);
}

function internalDay(message: StoredMessage): number | null {
  return dayNumber(message.internalDate.slice(0, 11));
}

function sentDay(message: StoredMessage): number | null {
  const match = /(\d{1,2}) ([A-Za-z]{3}) (\d{4})/.exec(fieldValues(message, 'date')[0] ?? '');
  return match === null ? null : dayNumber(`${match[1]}-${match[2]}-${match[3]}`.padStart(11, '0'));
}

function header(name: string, wanted: string): SearchTest {
  const lower = wanted.toLowerCase();
  return (message) => fieldValues(message, name).some((value) => value.toLowerCase().includes(lower));
}

function fieldValues(message: StoredMessage, name: string): string[] {
  const fields = parseFields(message.body.toString('latin1', 0, headerEnd(message.body, 0, message.body.length)));
  return fields.filter((field) => field.name.toLowerCase() === name).map((field) => field.value);
}

function text(wanted: string, start: (body: Buffer) => number): SearchTest {
  const lower = wanted.toLowerCase();
  return (message) => message.body.toString('latin1', start(message.body)).toLowerCase().includes(lower);
}

/** `MODSEQ [<entry name> <entry type>] n`. */
function modSeq(context: KeyContext): SearchTest {
  const { session, args } = context;
  if (!session.has('CONDSTORE')) throw bad('Unknown argument MODSEQ');
  context.usesModSeq = true;
  args.space();
  if (args.next === '"') {
    args.string();
    args.space();
    args.keyword();
    args.space();
  }
  const since = args.number();
  return (message) => message.modSeq >= since;
}
