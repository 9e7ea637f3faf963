/**
 * One account, ready to use: what `config.ts` makes of an INI file and what a lane dials.
 * Plain data, because it crosses to worker threads. The only place a secret lives.
 */

import type { TreeFormat } from './archive/store.ts';

export type AuthMethod =
  | 'auto'
  | 'login'
  | 'plain'
  | 'cram-md5'
  | 'scram-sha-1'
  | 'scram-sha-256'
  | 'xoauth2'
  | 'oauthbearer'
  | 'external'
  | 'proxyauth';

export interface TlsSettings {
  /** `implicit`: TLS from the first byte (993). `starttls`: upgrade before login, never without. `none`: clear text, asked for explicitly. */
  readonly mode: 'implicit' | 'starttls' | 'none';
  /** False: any certificate is accepted (`ssl_verify_cert = no`). Reported loudly. */
  readonly verify: boolean;
  /** False: the certificate need not name the host (`ssl_check_hostname = no`). */
  readonly checkHostname: boolean;
  /** PEM of the authorities to trust instead of the system's; `null`: the system's. */
  readonly ca: string | null;
}

export interface AccountSettings {
  /** The file it came from, for messages to people. */
  readonly file: string;
  readonly host: string;
  readonly port: number;
  readonly tls: TlsSettings;
  /** Run this command and talk IMAP on its stdin and stdout instead of dialling (a tunnel); `null`: dial. */
  readonly command: string | null;
  /** `''` only with a command that logs in by itself (PREAUTH). */
  readonly username: string;
  /** The password or, for the OAuth methods, the access token. Never printed. */
  readonly secret: string;
  readonly auth: AuthMethod;
  /** Act as this user (SASL authorization identity, or PROXYAUTH); `null`: as `username`. */
  readonly authorizationId: string | null;
  /** Longest silence on a connection in milliseconds. */
  readonly timeoutMs: number;
  /** Overrides what NAMESPACE says; `null`: ask the server. */
  readonly prefix: string | null;
  readonly delimiter: string | null;
  /** Append all that goes over the wire to this file, secrets masked; absent: nowhere. */
  readonly trace?: string | undefined;
  /** True: its secret is a token of limited life, and reading the file again brings a new one. */
  readonly renewable?: boolean;
}

/** A tree of folders on this machine's disk, as a job reads from it or writes to it. */
export interface TreeSettings {
  readonly format: TreeFormat;
  /** Absolute. */
  readonly path: string;
  /** Absolute; the directory of the manifest and what else is known of the tree. */
  readonly stateDirectory: string;
  /** Only these messages are read, and nothing follows from the rest not being there. Absent: all. */
  readonly only?: readonly TreeSelection[] | undefined;
  /** True: messages that the manifest says the source has no more are read, too. */
  readonly includeGone: boolean;
  /** `batch`: what counts as stored is on the disk. `never`: when the system likes. */
  readonly fsync: 'batch' | 'never';
  /** How messages that are new in an eml tree are compressed. */
  readonly storeCompress: 'none' | 'gzip' | 'zstd';
  /** Of a Maildir tree that is new. */
  readonly layout: 'maildir++' | 'fs';
}

/** Messages of one folder of a tree. */
export interface TreeSelection {
  /** The folder's name, with `/` between its segments. */
  readonly folder: string;
  /** A `messageKey` each. */
  readonly messages: ReadonlySet<string>;
}

/** What a message in a tree is told apart by, as long as nothing happens to its file. */
export function messageKey({ file, offset }: { readonly file: string; readonly offset: number }): string {
  return `${file}\0${offset}`;
}

/** One side of a job. */
export type EndpointSettings = AccountSettings | TreeSettings;

export function isTree(endpoint: EndpointSettings): endpoint is TreeSettings {
  return 'format' in endpoint;
}

/** How one side of a job is named to people: `alice@imap.example.org:993`, `eml:/home/alice/backup`. */
export function endpointLabel(endpoint: EndpointSettings): string {
  return isTree(endpoint) ? `${endpoint.format}:${endpoint.path}` : accountLabel(endpoint);
}

/**
 * `alice@imap.example.org:993`: how an account is named to people, and what its journals are found by. Tells apart whom an
 * administrator acts as, and tunnels by the file they stand in. Holds no secret.
 */
export function accountLabel(account: AccountSettings): string {
  const { username, authorizationId, host, port, command, file } = account;
  const login = authorizationId === null ? username : `${authorizationId} (as ${username})`;
  const place = command === null ? `${host}:${port}` : `(command in ${file})`;
  return login === '' ? place : `${login}@${place}`;
}
