import { createHash } from 'node:crypto';
import { dateToInternalDate, internalDateToEpochMs } from '../protocol/datetime.ts';
import { decodeFolderName, encodeFolderName } from '../protocol/utf7.ts';
import { type MailboxOptions, SandboxMailbox } from './mailbox.ts';

/** A user of the server, as seeded. */
export interface AccountOptions {
  readonly user: string;
  readonly password: string;
  /** For XOAUTH2 and OAUTHBEARER; without one, no token is good. */
  readonly accessToken?: string;
  /** May log in as others: authorization identities and PROXYAUTH. */
  readonly admin?: boolean;
  readonly quota?: AccountQuota;
}

/** Limits of one account, `null` for none. */
export interface AccountQuota {
  readonly storageBytes: number | null;
  readonly messages: number | null;
}

/** What the account needs to know of its server. */
export interface AccountSettings {
  readonly delimiter: string | null;
  readonly personalPrefix: string;
  readonly firstUidValidity: number;
  /** Epoch milliseconds. */
  now(): number;
}

/** How a mailbox is seeded. */
export interface CreateOptions extends MailboxOptions {
  readonly subscribed?: boolean;
  /** The name on the wire, for names that are not valid modified UTF-7. The name given is then only a label. */
  readonly rawName?: string;
}

/** One account: mailboxes by raw name, subscriptions, quota. Every server-side rule about names is in `folder-names.ts`. */
export class SandboxAccount {
  readonly user: string;
  /** May be changed while running: the next login needs the new one. */
  password: string;
  accessToken: string | null;
  readonly admin: boolean;
  quota: AccountQuota | null;
  /** Raw names; a subscription outlives its mailbox (RFC 3501 6.3.6). */
  readonly subscriptions = new Set<string>();
  readonly settings: AccountSettings;
  /** Sessions logged in at this moment. */
  connections = 0;
  logins = 0;
  failedLogins = 0;
  readonly #mailboxes = new Map<string, SandboxMailbox>();
  #nextUidValidity: number;

  constructor(options: AccountOptions, settings: AccountSettings) {
    this.user = options.user;
    this.password = options.password;
    this.accessToken = options.accessToken ?? null;
    this.admin = options.admin ?? false;
    this.quota = options.quota ?? null;
    this.settings = settings;
    this.#nextUidValidity = settings.firstUidValidity;
    this.addMailbox('INBOX');
  }

  /** By raw name, in order of creation. */
  get mailboxes(): ReadonlyMap<string, SandboxMailbox> {
    return this.#mailboxes;
  }

  get inbox(): SandboxMailbox {
    return this.mailbox('INBOX');
  }

  get totalBytes(): number {
    let total = 0;
    for (const mailbox of this.#mailboxes.values()) total += mailbox.totalBytes;
    return total;
  }

  get messageCount(): number {
    let total = 0;
    for (const mailbox of this.#mailboxes.values()) total += mailbox.messages.length;
    return total;
  }

  /** The name of a mailbox from its path below the personal namespace: prefix and separators put in. */
  nameOf(path: readonly string[]): string {
    if (path.length === 1 && path[0]?.toUpperCase() === 'INBOX') return 'INBOX';
    return this.settings.personalPrefix + path.join(this.settings.delimiter ?? ' - ');
  }

  /**
   * Seeds a mailbox, with the parents it needs as `\Noselect` places. A string is the whole Unicode name, a list the path
   * below the personal namespace. An existing mailbox is an error unless it is `\Noselect`.
   *
   * @throws RangeError when the name is taken.
   */
  createMailbox(name: string | readonly string[], options: CreateOptions = {}): SandboxMailbox {
    const rawName = options.rawName ?? encodeFolderName(typeof name === 'string' ? name : this.nameOf(name));
    const mailbox = this.addMailbox(rawName, options);
    if (options.subscribed === true) this.subscriptions.add(rawName);
    return mailbox;
  }

  /** @throws RangeError when there is no such mailbox. */
  mailbox(name: string | readonly string[]): SandboxMailbox {
    const rawName = encodeFolderName(typeof name === 'string' ? name : this.nameOf(name));
    const found = this.#mailboxes.get(rawName);
    if (found === undefined) throw new RangeError(`${this.user} has no mailbox ${rawName}`);
    return found;
  }

  /** The same by raw name. */
  addMailbox(rawName: string, options: MailboxOptions = {}): SandboxMailbox {
    const existing = this.#mailboxes.get(rawName);
    if (existing !== undefined) {
      if (!existing.noselect) throw new RangeError(`mailbox ${rawName} exists`);
      existing.placeholder = false;
      existing.noselect = options.noselect ?? false;
      existing.specialUse = options.specialUse ?? [];
      return existing;
    }
    this.#addParents(rawName);
    const mailbox = this.#make(rawName, options);
    return mailbox;
  }

  /** Takes a mailbox out; with children below it, its name stays as a `\Noselect` place. */
  removeMailbox(mailbox: SandboxMailbox): void {
    this.#mailboxes.delete(mailbox.rawName);
    mailbox.invalidate();
    if (this.hasChildren(mailbox.rawName)) this.#make(mailbox.rawName, { noselect: true }).placeholder = true;
    else this.#dropEmptyParents(mailbox.rawName);
  }

  /** Gives a mailbox, and all below it, a new name. The caller has checked that the new names are free. */
  renameMailbox(mailbox: SandboxMailbox, rawName: string): void {
    const { delimiter } = this.settings;
    const oldName = mailbox.rawName;
    const moved = [mailbox];
    if (delimiter !== null) {
      for (const other of this.#mailboxes.values())
        if (other.rawName.startsWith(oldName + delimiter)) moved.push(other);
    }
    for (const each of moved) this.#mailboxes.delete(each.rawName);
    this.#addParents(rawName);
    for (const each of moved) {
      each.rawName = rawName + each.rawName.slice(oldName.length);
      this.#mailboxes.set(each.rawName, each);
    }
    this.#dropEmptyParents(oldName);
  }

  hasChildren(rawName: string): boolean {
    const { delimiter } = this.settings;
    if (delimiter === null) return false;
    for (const other of this.#mailboxes.keys()) if (other.startsWith(rawName + delimiter)) return true;
    return false;
  }

  /** The current time as an internal date. */
  nowDate(): string {
    return dateToInternalDate(new Date(this.settings.now()));
  }

  #make(rawName: string, options: MailboxOptions): SandboxMailbox {
    const uidValidity = options.uidValidity ?? this.#nextUidValidity++;
    const mailbox = new SandboxMailbox(rawName, { ...options, uidValidity, nowDate: () => this.nowDate() });
    this.#mailboxes.set(rawName, mailbox);
    return mailbox;
  }

  #addParents(rawName: string): void {
    for (const parent of this.#parents(rawName)) {
      if (!this.#mailboxes.has(parent)) this.#make(parent, { noselect: true }).placeholder = true;
    }
  }

  #dropEmptyParents(rawName: string): void {
    for (const parent of this.#parents(rawName).reverse()) {
      if (this.#mailboxes.get(parent)?.placeholder === true && !this.hasChildren(parent))
        this.#mailboxes.delete(parent);
    }
  }

  /** Outermost first. */
  #parents(rawName: string): string[] {
    const { delimiter } = this.settings;
    if (delimiter === null) return [];
    const parents: string[] = [];
    for (let at = rawName.indexOf(delimiter); at > 0; at = rawName.indexOf(delimiter, at + 1))
      parents.push(rawName.slice(0, at));
    return parents;
  }
}

/** One message as a comparison sees it. */
export interface MessageSnapshot {
  readonly uid: number;
  /** SHA-256 of the body, hex. */
  readonly digest: string;
  readonly size: number;
  readonly flags: readonly string[];
  readonly internalDate: string;
  readonly epochMs: number;
}

/** One mailbox as a comparison sees it. */
export interface MailboxSnapshot {
  /** Path below the personal namespace, Unicode (raw where it cannot be decoded). */
  readonly path: readonly string[];
  readonly rawName: string;
  readonly uidValidity: number;
  readonly noselect: boolean;
  readonly subscribed: boolean;
  readonly specialUse: readonly string[];
  /** In UID order. */
  readonly messages: readonly MessageSnapshot[];
}

/** Everything an account holds, sorted by path, in a form that compares across separators and prefixes. */
export function snapshotAccount(account: SandboxAccount): MailboxSnapshot[] {
  const { delimiter, personalPrefix } = account.settings;
  const snapshots = [...account.mailboxes.values()].map((mailbox) => {
    const name = decodeFolderName(mailbox.rawName) ?? mailbox.rawName;
    const inner = name.startsWith(personalPrefix) ? name.slice(personalPrefix.length) : name;
    return {
      path: delimiter === null ? [inner] : inner.split(delimiter),
      rawName: mailbox.rawName,
      uidValidity: mailbox.uidValidity,
      noselect: mailbox.noselect,
      subscribed: account.subscriptions.has(mailbox.rawName),
      specialUse: mailbox.specialUse,
      messages: mailbox.messages.map((message) => ({
        uid: message.uid,
        digest: createHash('sha256').update(message.body).digest('hex'),
        size: message.body.length,
        flags: [...message.flags].sort(),
        internalDate: message.internalDate,
        epochMs: internalDateToEpochMs(message.internalDate) ?? Number.NaN,
      })),
    };
  });
  return snapshots.sort((a, b) => compareText(a.path.join('\0'), b.path.join('\0')));
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
