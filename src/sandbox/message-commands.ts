import { type Answer, bad, no, ok } from './answer.ts';
import { checkFlags, isKept } from './append-command.ts';
import type { Arguments } from './arguments.ts';
import type { CommandTable } from './command.ts';
import { findSelectable } from './folder-names.ts';
import type { StoredMessage } from './mailbox.ts';
import type { Selection } from './selection.ts';
import type { SandboxSession } from './session.ts';
import { encodeSet } from './wire.ts';

/** STORE, COPY, MOVE, EXPUNGE and their UID forms (RFC 3501 6.4, RFC 4315, RFC 6851, RFC 7162). */
export const messageCommands: CommandTable = {
  STORE: { state: 'selected', holdsExpunges: true, run: (session, args) => store(session, args, false) },
  'UID STORE': { state: 'selected', run: (session, args) => store(session, args, true) },
  COPY: { state: 'selected', run: (session, args) => copy(session, args, { byUid: false, move: false }) },
  'UID COPY': { state: 'selected', run: (session, args) => copy(session, args, { byUid: true, move: false }) },
  MOVE: {
    state: 'selected',
    requires: 'MOVE',
    run: (session, args) => copy(session, args, { byUid: false, move: true }),
  },
  'UID MOVE': {
    state: 'selected',
    requires: 'MOVE',
    run: (session, args) => copy(session, args, { byUid: true, move: true }),
  },
  EXPUNGE: {
    state: 'selected',
    run(session, args) {
      args.end();
      return expunge(session, session.requireSelection().view);
    },
  },
  'UID EXPUNGE': {
    state: 'selected',
    requires: 'UIDPLUS',
    run(session, args) {
      args.space();
      const set = args.sequenceSet();
      args.end();
      const selection = session.requireSelection();
      return expunge(session, pick(selection, set, true));
    },
  },
};

/** The messages a set names that still exist. */
function pick(selection: Selection, set: string, byUid: boolean): StoredMessage[] {
  return selection
    .resolve(set, byUid)
    .map((index) => selection.view[index] as StoredMessage)
    .filter((message) => !message.expunged);
}

function requireWritable(selection: Selection): void {
  if (selection.readOnly) throw no('Mailbox is read-only', 'READ-ONLY');
}

function expunge(session: SandboxSession, candidates: readonly StoredMessage[]): Answer {
  const selection = session.requireSelection();
  requireWritable(selection);
  selection.mailbox.expunge(candidates.filter((message) => message.flags.has('\\Deleted')));
  return ok('Expunge completed');
}

interface StoreRequest {
  readonly mode: '+' | '-' | '';
  readonly silent: boolean;
  readonly flags: readonly string[];
  readonly unchangedSince: number | null;
}

function store(session: SandboxSession, args: Arguments, byUid: boolean): Answer {
  args.space();
  const set = args.sequenceSet();
  args.space();
  const request = parseStore(session, args);
  args.end();
  const selection = session.requireSelection();
  const messages = pick(selection, set, byUid);
  requireWritable(selection);
  const modified: number[] = [];
  for (const message of messages) {
    const sequence = selection.sequenceOf(message);
    if (request.unchangedSince !== null && message.modSeq > request.unchangedSince) {
      modified.push(byUid ? message.uid : sequence);
      continue;
    }
    selection.mailbox.setFlags(message, changedFlags(message, request), selection);
    const modSeq = session.condstoreAware && session.has('CONDSTORE') ? `MODSEQ (${message.modSeq})` : '';
    if (request.silent && modSeq === '') continue;
    const shown = request.silent ? '' : `FLAGS (${selection.flagsOf(message).join(' ')})`;
    const words = [byUid ? `UID ${message.uid}` : '', shown, modSeq].filter((word) => word !== '');
    selection.flagsShown(message);
    session.untagged(`${sequence} FETCH (${words.join(' ')})`);
  }
  return modified.length === 0
    ? ok('Store completed.')
    : ok('Conditional store failed.', `MODIFIED ${encodeSet(modified)}`);
}

function parseStore(session: SandboxSession, args: Arguments): StoreRequest {
  let unchangedSince: number | null = null;
  if (args.next === '(') {
    if (!session.has('CONDSTORE')) throw bad('Unknown STORE modifier');
    const values = args.list(() => {
      if (args.keyword() !== 'UNCHANGEDSINCE') throw bad('Unknown STORE modifier');
      args.space();
      return args.number();
    });
    unchangedSince = values[0] ?? null;
    session.condstoreAware = true;
    args.space();
  }
  const match = /^([+-]?)FLAGS(\.SILENT)?$/.exec(args.keyword());
  if (match === null) throw bad('Unknown STORE item');
  args.space();
  const flags = args.next === '(' ? args.list(() => args.flag()) : [args.flag()];
  while (args.accept(' ')) flags.push(args.flag());
  checkFlags(flags);
  const { options } = session.server;
  const kept =
    options.keepKeywords === false ? flags.filter((flag) => isKept(flag, options.permanentKeywords ?? [])) : flags;
  if (kept.length < flags.length && options.unknownFlags === 'refuse') throw bad('Unrecognized flag');
  return { mode: match[1] as '+' | '-' | '', silent: match[2] !== undefined, flags: kept, unchangedSince };
}

function changedFlags(message: StoredMessage, request: StoreRequest): string[] {
  if (request.mode === '') return [...request.flags];
  const named = new Set(request.flags.map((flag) => flag.toLowerCase()));
  const others = [...message.flags].filter((flag) => !named.has(flag.toLowerCase()));
  if (request.mode === '-') return others;
  return [
    ...message.flags,
    ...request.flags.filter((flag) => ![...message.flags].some((own) => own.toLowerCase() === flag.toLowerCase())),
  ];
}

function copy(session: SandboxSession, args: Arguments, how: { byUid: boolean; move: boolean }): Answer {
  args.space();
  const set = args.sequenceSet();
  args.space();
  const rawName = args.astring();
  args.end();
  const selection = session.requireSelection();
  const account = session.requireAccount();
  const messages = pick(selection, set, how.byUid);
  if (how.move) requireWritable(selection);
  const target = findSelectable(account, rawName, 'TRYCREATE');
  checkQuota(session, messages, how.move);
  const uids = messages.map(({ body, flags, internalDate, reportedSize, quirk }) => {
    const message = {
      body,
      flags,
      internalDate,
      ...(reportedSize !== null && { reportedSize }),
      ...(quirk !== null && { quirk }),
    };
    return target.append(message).uid;
  });
  const sourceSet = encodeSet(messages.map((message) => message.uid));
  const tells = session.has('UIDPLUS') && messages.length > 0 && session.server.options.uidNotSticky !== true;
  const code = tells ? `COPYUID ${target.uidValidity} ${sourceSet} ${encodeSet(uids)}` : undefined;
  if (!how.move) return ok('Copy completed.', code);
  // RFC 6851 4.3: the UIDs are told before the EXPUNGE responses.
  if (code !== undefined) session.untagged(`OK [${code}] Moved UIDs.`);
  selection.mailbox.expunge(messages);
  return ok('Move completed.');
}

function checkQuota(session: SandboxSession, messages: readonly StoredMessage[], move: boolean): void {
  const account = session.requireAccount();
  if (account.quota === null || move) return;
  const { storageBytes, messages: most } = account.quota;
  const bytes = messages.reduce((sum, message) => sum + message.body.length, account.totalBytes);
  if (
    (storageBytes !== null && bytes > storageBytes) ||
    (most !== null && account.messageCount + messages.length > most)
  ) {
    throw no('Quota exceeded (mailbox for user is full)', 'OVERQUOTA');
  }
}
