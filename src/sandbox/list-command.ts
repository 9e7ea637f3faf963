import type { SandboxAccount } from './account.ts';
import { type Answer, bad, ok } from './answer.ts';
import type { Arguments } from './arguments.ts';
import type { CommandTable } from './command.ts';
import { normalizeMailboxName } from './folder-names.ts';
import type { SandboxSession } from './session.ts';
import { type StatusItemName, statusItem, statusLine } from './status.ts';
import { encodeDelimiter, encodeMailbox } from './wire.ts';

/** What a LIST asks for (RFC 3501 6.3.8, RFC 5258, 5819, 6154). */
interface ListRequest {
  readonly patterns: readonly string[];
  /** SUBSCRIBED, REMOTE, RECURSIVEMATCH, SPECIAL-USE. */
  readonly select: ReadonlySet<string>;
  /** SUBSCRIBED, CHILDREN, SPECIAL-USE. */
  readonly give: ReadonlySet<string>;
  readonly status: readonly StatusItemName[] | null;
}

/** LIST and LSUB. */
export const listCommands: CommandTable = {
  LIST: {
    state: 'authenticated',
    run(session, args) {
      list(session, parseList(session, args));
      return ok('List completed');
    },
  },
  LSUB: {
    state: 'authenticated',
    run(session, args): Answer {
      args.space();
      const reference = args.astring();
      args.space();
      const pattern = normalizeMailboxName(reference + args.listMailbox(), session.server.delimiter);
      args.end();
      listSubscribed(session, session.requireAccount(), pattern);
      return ok('Lsub completed');
    },
  },
};

function parseList(session: SandboxSession, args: Arguments): ListRequest {
  const select = new Set<string>();
  args.space();
  if (args.next === '(') {
    if (!session.has('LIST-EXTENDED')) throw bad('LIST options are not supported');
    for (const option of args.list(() => args.keyword())) select.add(option);
    checkOptions(session, select, ['SUBSCRIBED', 'REMOTE', 'RECURSIVEMATCH', 'SPECIAL-USE']);
    args.space();
  }
  const reference = args.astring();
  args.space();
  const several = args.next === '(';
  if (several && !session.has('LIST-EXTENDED')) throw bad('Several patterns are not supported');
  const patterns = several ? args.list(() => args.listMailbox()) : [args.listMailbox()];
  const give = new Set<string>();
  let status: StatusItemName[] | null = null;
  if (args.accept(' ')) {
    if (
      !['LIST-EXTENDED', 'LIST-STATUS', 'SPECIAL-USE'].some((feature) =>
        session.server.features.has(feature as 'LIST-STATUS'),
      )
    ) {
      throw bad('Unknown or extra arguments');
    }
    if (args.keyword() !== 'RETURN') throw bad('Expected RETURN');
    args.space();
    args.list(() => {
      const option = args.keyword();
      if (option !== 'STATUS') {
        give.add(option);
        return;
      }
      if (!session.has('LIST-STATUS')) throw bad('Unknown LIST return option STATUS');
      args.space();
      status = args.list(() => statusItem(session, args.run(/[A-Z.]+/iy, 'a status item')));
    });
    checkOptions(session, give, ['SUBSCRIBED', 'CHILDREN', 'SPECIAL-USE']);
  }
  args.end();
  const { delimiter } = session.server;
  return {
    patterns: patterns.map((pattern) => normalizeMailboxName(reference + pattern, delimiter)),
    select,
    give,
    status,
  };
}

function checkOptions(session: SandboxSession, options: ReadonlySet<string>, known: readonly string[]): void {
  for (const option of options) {
    const feature = option === 'SPECIAL-USE' ? 'SPECIAL-USE' : 'LIST-EXTENDED';
    if (!known.includes(option) || !session.has(feature)) throw bad(`Unknown LIST option ${option}`);
  }
}

function list(session: SandboxSession, request: ListRequest): void {
  const { delimiter } = session.server;
  if (request.patterns.length === 1 && request.patterns[0] === '') {
    // An empty pattern asks for the separator only.
    session.untagged(`LIST (\\Noselect) ${encodeDelimiter(delimiter)} ""`);
    return;
  }
  const account = session.requireAccount();
  const parents = parentNames(account.mailboxes.keys(), delimiter);
  const subscribedOnly = request.select.has('SUBSCRIBED');
  const names = new Set(account.mailboxes.keys());
  if (subscribedOnly) for (const rawName of account.subscriptions) names.add(rawName);
  const subscribedParents = request.select.has('RECURSIVEMATCH')
    ? parentNames(account.subscriptions, delimiter)
    : new Set<string>();
  for (const rawName of names) {
    if (!request.patterns.some((pattern) => matchesPattern(rawName, pattern, delimiter))) continue;
    const subscribed = account.subscriptions.has(rawName);
    const childSubscribed = subscribedParents.has(rawName);
    if (subscribedOnly && !subscribed && !childSubscribed) continue;
    const mailbox = account.mailboxes.get(rawName);
    if (request.select.has('SPECIAL-USE') && (mailbox === undefined || mailbox.specialUse.length === 0)) continue;
    const attributes = attributesOf(session, account, rawName, parents.has(rawName), request.give.has('CHILDREN'));
    if (subscribed && (subscribedOnly || request.give.has('SUBSCRIBED'))) attributes.push('\\Subscribed');
    const extended = childSubscribed && subscribedOnly ? ' ("CHILDINFO" ("SUBSCRIBED"))' : '';
    session.untagged(
      `LIST (${attributes.join(' ')}) ${encodeDelimiter(delimiter)} ${encodeMailbox(rawName)}${extended}`,
    );
    if (request.status !== null && mailbox !== undefined && !mailbox.noselect) {
      session.untagged(statusLine(session, mailbox, request.status));
    }
  }
}

function attributesOf(
  session: SandboxSession,
  account: SandboxAccount,
  rawName: string,
  hasChildren: boolean,
  asked: boolean,
): string[] {
  const mailbox = account.mailboxes.get(rawName);
  const attributes: string[] = [];
  if (mailbox === undefined) attributes.push('\\NonExistent');
  else if (mailbox.noselect) attributes.push('\\Noselect');
  if (session.has('CHILDREN') || asked) attributes.push(hasChildren ? '\\HasChildren' : '\\HasNoChildren');
  if (mailbox !== undefined && session.has('SPECIAL-USE')) attributes.push(...mailbox.specialUse);
  return attributes;
}

/** LSUB: what is subscribed, existing or not; with `%`, a parent of something subscribed stands for it as `\Noselect`. */
function listSubscribed(session: SandboxSession, account: SandboxAccount, pattern: string): void {
  const { delimiter } = session.server;
  const standIns = pattern.includes('%') ? parentNames(account.subscriptions, delimiter) : new Set<string>();
  for (const rawName of new Set([...account.subscriptions, ...standIns])) {
    if (!matchesPattern(rawName, pattern, delimiter)) continue;
    const noselect = !account.subscriptions.has(rawName);
    session.untagged(`LSUB (${noselect ? '\\Noselect' : ''}) ${encodeDelimiter(delimiter)} ${encodeMailbox(rawName)}`);
  }
}

/** Every name that has something below it. */
function parentNames(rawNames: Iterable<string>, delimiter: string | null): Set<string> {
  const parents = new Set<string>();
  if (delimiter === null) return parents;
  for (const rawName of rawNames) {
    let at = rawName.lastIndexOf(delimiter);
    while (at > 0 && !parents.has(rawName.slice(0, at))) {
      parents.add(rawName.slice(0, at));
      at = rawName.lastIndexOf(delimiter, at - 1);
    }
  }
  return parents;
}

/** `*` matches anything, `%` anything within one level. Time is the product of the lengths at most. */
export function matchesPattern(rawName: string, pattern: string, delimiter: string | null): boolean {
  // reached[i]: the pattern so far matches the first i characters.
  let reached: boolean[] = Array.from({ length: rawName.length + 1 }, (_, index) => index === 0);
  for (const symbol of pattern) {
    const next: boolean[] = new Array(rawName.length + 1).fill(false);
    const wild = symbol === '*' || symbol === '%';
    for (let at = 0; at <= rawName.length; at++) {
      if (wild) {
        const extended = at > 0 && next[at - 1] === true && (symbol === '*' || rawName[at - 1] !== delimiter);
        next[at] = reached[at] === true || extended;
      } else {
        next[at] = at > 0 && reached[at - 1] === true && rawName[at - 1] === symbol;
      }
    }
    reached = next;
  }
  return reached[rawName.length] === true;
}
