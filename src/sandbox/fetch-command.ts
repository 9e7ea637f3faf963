import { dateToInternalDate, internalDateToEpochMs } from '../protocol/datetime.ts';
import { bad, no, ok } from './answer.ts';
import type { Arguments } from './arguments.ts';
import type { CommandRun, CommandTable } from './command.ts';
import { encodeEnvelope, encodeStructure } from './envelope.ts';
import { type FetchItem, parseFetchItems, sectionOctets } from './fetch-items.ts';
import type { StoredMessage } from './mailbox.ts';
import { parseMessage } from './mime.ts';
import type { SandboxSession } from './session.ts';

/** FETCH and UID FETCH. */
export const fetchCommands: CommandTable = {
  FETCH: { state: 'selected', holdsExpunges: true, run: (session, args) => fetch(session, args, false) },
  'UID FETCH': { state: 'selected', run: (session, args) => fetch(session, args, true) },
};

/** Output made before the wire is asked whether it takes more. */
const outputStride = 256 * 1024;

function* fetch(session: SandboxSession, args: Arguments, byUid: boolean): CommandRun {
  args.space();
  const set = args.sequenceSet();
  args.space();
  const items = parseFetchItems(session, args);
  const changedSince = parseModifiers(session, args);
  args.end();
  if (changedSince !== null && !items.some((item) => item.kind === 'simple' && item.name === 'MODSEQ'))
    items.push(modSeqItem);
  if (byUid && !items.some((item) => item.kind === 'simple' && item.name === 'UID')) items.unshift(uidItem);
  const selection = session.requireSelection();
  const wantsBody = items.some((item) => item.kind === 'section' && item.part === '');
  const messages = selection
    .resolve(set, byUid)
    .map((index) => ({ index, message: selection.view[index] as StoredMessage }));
  let expunged = false;
  let failed = false;
  for (const { index, message } of messages) {
    if (message.expunged) {
      expunged = true;
      continue;
    }
    if (message.quirk === 'phantom' || (changedSince !== null && message.modSeq <= changedSince)) continue;
    if (message.quirk === 'error' && wantsBody) {
      failed = true;
      continue;
    }
    writeMessage(session, index + 1, message, items);
    if (session.channel.queuedOutput >= outputStride) yield { kind: 'drain' };
  }
  if (failed) throw no(`${byUid ? 'UID FETCH' : 'FETCH'} Server error - Please try again later`, 'UNAVAILABLE');
  return expunged ? ok('Some messages were already expunged.', 'EXPUNGEISSUED') : ok('Fetch completed.');
}

const uidItem: FetchItem = { kind: 'simple', name: 'UID' };
const modSeqItem: FetchItem = { kind: 'simple', name: 'MODSEQ' };

/** `(CHANGEDSINCE n)`, RFC 7162 3.1.4. */
function parseModifiers(session: SandboxSession, args: Arguments): number | null {
  if (!args.accept(' ')) return null;
  if (!session.has('CONDSTORE')) throw bad('Unknown or extra arguments');
  const values = args.list(() => {
    if (args.keyword() !== 'CHANGEDSINCE') throw bad('Unknown FETCH modifier');
    args.space();
    return args.number();
  });
  session.condstoreAware = true;
  return values[0] ?? null;
}

/** One FETCH response. Reading a body outside PEEK sets \Seen, and then the response tells the new flags too. */
function writeMessage(
  session: SandboxSession,
  sequence: number,
  message: StoredMessage,
  items: readonly FetchItem[],
): void {
  const selection = session.requireSelection();
  const setsSeen = items.some((item) => item.kind === 'section' && item.setsSeen);
  let shown = items;
  if (setsSeen && !selection.readOnly && !message.flags.has('\\Seen')) {
    selection.mailbox.setFlags(message, [...message.flags, '\\Seen'], selection);
    if (!items.some((item) => item.kind === 'simple' && item.name === 'FLAGS'))
      shown = [...items, { kind: 'simple', name: 'FLAGS' }];
  }
  const { channel } = session;
  channel.text(`* ${sequence} FETCH (`);
  let separator = '';
  for (const item of shown) {
    if (item.kind === 'simple') {
      channel.text(`${separator}${item.name} ${simpleValue(session, message, item.name)}`);
    } else {
      if (message.quirk === 'absent' && item.part === '') continue;
      const octets = message.quirk === 'nil' && item.part === '' ? null : sectionOctets(message.body, item);
      channel.text(`${separator}${item.label} `);
      if (octets === null) channel.text('NIL');
      else session.literal(octets);
    }
    separator = ' ';
  }
  channel.text(')\r\n');
}

function simpleValue(
  session: SandboxSession,
  message: StoredMessage,
  name: (FetchItem & { kind: 'simple' })['name'],
): string {
  switch (name) {
    case 'UID':
      return `${message.uid}`;
    case 'FLAGS': {
      const selection = session.requireSelection();
      selection.flagsShown(message);
      return `(${selection.flagsOf(message).join(' ')})`;
    }
    case 'INTERNALDATE':
      return `"${shownDate(session, message.internalDate)}"`;
    case 'RFC822.SIZE':
      return `${message.reportedSize ?? message.body.length}`;
    case 'MODSEQ':
      return `(${message.modSeq})`;
    case 'ENVELOPE':
      return encodeEnvelope(parseMessage(message.body).fields);
    case 'BODY':
    case 'BODYSTRUCTURE':
      return encodeStructure(message.body, parseMessage(message.body), name === 'BODYSTRUCTURE');
    default:
      return name satisfies never;
  }
}

function shownDate(session: SandboxSession, internalDate: string): string {
  if (session.server.options.dateZone !== 'utc') return internalDate;
  const epochMs = internalDateToEpochMs(internalDate);
  return epochMs === null ? internalDate : dateToInternalDate(new Date(epochMs));
}
