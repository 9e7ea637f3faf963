import { type Answer, bad, no, ok } from './answer.ts';
import type { Arguments } from './arguments.ts';
import type { CommandTable } from './command.ts';
import { checkNewName, findMailbox, findSelectable, normalizeMailboxName } from './folder-names.ts';
import { type SandboxMailbox, type StoredMessage, systemFlags } from './mailbox.ts';
import type { SandboxSession } from './session.ts';
import { statusItem, statusLine } from './status.ts';

/** CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE, STATUS, SELECT, EXAMINE, CLOSE, UNSELECT (RFC 3501 6.3, RFC 3691, RFC 6154). */
export const folderCommands: CommandTable = {
  CREATE: {
    state: 'authenticated',
    run(session, args) {
      const rawName = oneMailbox(args);
      const specialUse = args.accept(' ') ? parseUse(session, args) : [];
      args.end();
      const account = session.requireAccount();
      account.addMailbox(checkNewName(session.server, account, rawName), { specialUse });
      return ok('Create completed');
    },
  },
  DELETE: {
    state: 'authenticated',
    run(session, args) {
      const rawName = oneMailbox(args);
      args.end();
      const account = session.requireAccount();
      const mailbox = findMailbox(account, rawName);
      if (mailbox.rawName === 'INBOX') throw no('INBOX cannot be deleted', 'CANNOT');
      if (mailbox.noselect && account.hasChildren(mailbox.rawName)) throw no('Mailbox has children', 'HASCHILDREN');
      if (session.selection?.mailbox === mailbox) session.select(null);
      account.removeMailbox(mailbox);
      return ok('Delete completed');
    },
  },
  RENAME: {
    state: 'authenticated',
    run(session, args) {
      const from = oneMailbox(args);
      const to = oneMailbox(args);
      args.end();
      const account = session.requireAccount();
      const mailbox = findMailbox(account, from);
      const name = checkNewName(session.server, account, to);
      const { delimiter } = session.server;
      if (delimiter !== null && name.startsWith(mailbox.rawName + delimiter) && mailbox.rawName !== 'INBOX') {
        throw no('A mailbox cannot be moved below itself', 'CANNOT');
      }
      if (mailbox.rawName === 'INBOX') moveInbox(mailbox, account.addMailbox(name));
      else account.renameMailbox(mailbox, name);
      return ok('Rename completed');
    },
  },
  SUBSCRIBE: {
    state: 'authenticated',
    run(session, args) {
      const account = session.requireAccount();
      const rawName = normalizeMailboxName(oneMailbox(args), session.server.delimiter);
      args.end();
      account.subscriptions.add(rawName);
      return ok('Subscribe completed');
    },
  },
  UNSUBSCRIBE: {
    state: 'authenticated',
    run(session, args) {
      const account = session.requireAccount();
      const rawName = normalizeMailboxName(oneMailbox(args), session.server.delimiter);
      args.end();
      account.subscriptions.delete(rawName);
      return ok('Unsubscribe completed');
    },
  },
  STATUS: {
    state: 'authenticated',
    run(session, args) {
      const rawName = oneMailbox(args);
      args.space();
      const items = args.list(() => statusItem(session, args.run(/[A-Z.]+/iy, 'a status item')));
      args.end();
      if (items.length === 0) throw bad('Empty status list');
      session.untagged(statusLine(session, findSelectable(session.requireAccount(), rawName), items));
      return ok('Status completed');
    },
  },
  SELECT: { state: 'authenticated', run: (session, args) => select(session, args, false) },
  EXAMINE: { state: 'authenticated', run: (session, args) => select(session, args, true) },
  CLOSE: {
    state: 'selected',
    run(session, args) {
      args.end();
      const { mailbox, readOnly } = session.requireSelection();
      session.select(null);
      if (!readOnly) mailbox.expunge(mailbox.messages.filter((message) => message.flags.has('\\Deleted')));
      return ok('Close completed');
    },
  },
  UNSELECT: {
    state: 'selected',
    requires: 'UNSELECT',
    run(session, args) {
      args.end();
      session.select(null);
      return ok('Unselect completed');
    },
  },
};

function oneMailbox(args: Arguments): string {
  args.space();
  return args.astring();
}

/** `(USE (\Sent \Trash))`, RFC 6154 3. */
function parseUse(session: SandboxSession, args: Arguments): string[] {
  if (!session.has('CREATE-SPECIAL-USE')) throw bad('Unknown or extra arguments');
  const uses = args.list(() => {
    if (args.keyword() !== 'USE') throw bad('Unknown CREATE parameter');
    args.space();
    return args.list(() => args.flag());
  });
  const known = ['\\all', '\\archive', '\\drafts', '\\flagged', '\\junk', '\\sent', '\\trash'];
  const unknown = uses.flat().find((use) => !known.includes(use.toLowerCase()));
  if (unknown !== undefined) throw no(`Unsupported special use ${unknown}`, 'USEATTR');
  return uses.flat();
}

/** RENAME of INBOX moves what it holds and leaves it empty (RFC 3501 6.3.5). */
function moveInbox(inbox: SandboxMailbox, target: SandboxMailbox): void {
  const moved: StoredMessage[] = [...inbox.messages];
  for (const { body, flags, internalDate, reportedSize, quirk } of moved) {
    target.append({
      body,
      flags,
      internalDate,
      ...(reportedSize !== null && { reportedSize }),
      ...(quirk !== null && { quirk }),
    });
  }
  inbox.expunge(moved);
}

function select(session: SandboxSession, args: Arguments, readOnly: boolean): Answer {
  const rawName = oneMailbox(args);
  let condstore = false;
  if (args.accept(' ')) {
    if (!session.has('CONDSTORE')) throw bad('Unknown or extra arguments');
    const parameters = args.list(() => args.keyword());
    if (parameters.some((parameter) => parameter !== 'CONDSTORE')) throw bad('Unknown SELECT parameter');
    condstore = true;
  }
  args.end();
  // A failed SELECT leaves nothing selected (RFC 3501 6.3.1).
  session.select(null);
  const mailbox = findSelectable(session.requireAccount(), rawName);
  const { options } = session.server;
  if (options.uidNotSticky === true && mailbox.observerCount === 0) mailbox.changeUidValidity();
  session.select({ mailbox, readOnly });
  if (condstore) session.condstoreAware = true;
  announceSelected(session);
  return ok(`${readOnly ? 'Examine' : 'Select'} completed`, readOnly ? 'READ-ONLY' : 'READ-WRITE');
}

function announceSelected(session: SandboxSession): void {
  const selection = session.requireSelection();
  const { mailbox, view, readOnly } = selection;
  const { options } = session.server;
  const keepsAll = options.keepKeywords !== false;
  const keywords = [...new Set([...(options.permanentKeywords ?? []), ...mailbox.keywords])];
  const permanent = keepsAll
    ? [...systemFlags, ...keywords, '\\*']
    : [...systemFlags, ...(options.permanentKeywords ?? [])];
  session.untagged(`FLAGS (${[...systemFlags, ...keywords].join(' ')})`);
  session.untagged(`OK [PERMANENTFLAGS (${readOnly ? '' : permanent.join(' ')})] Flags permitted.`);
  session.untagged(`${view.length} EXISTS`);
  session.untagged(`${selection.countRecent()} RECENT`);
  const unseen = view.findIndex((message) => !message.flags.has('\\Seen'));
  if (unseen !== -1) session.untagged(`OK [UNSEEN ${unseen + 1}] First unseen.`);
  session.untagged(`OK [UIDVALIDITY ${mailbox.uidValidity}] UIDs valid`);
  const { selectTellsUidNext = true } = session.server.options;
  if (selectTellsUidNext) session.untagged(`OK [UIDNEXT ${mailbox.uidNext}] Predicted next UID`);
  if (options.uidNotSticky === true && session.has('UIDPLUS'))
    session.untagged('NO [UIDNOTSTICKY] Non-persistent UIDs');
  if (session.has('CONDSTORE')) session.untagged(`OK [HIGHESTMODSEQ ${mailbox.highestModSeq}] Highest`);
}
