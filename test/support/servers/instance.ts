/** What every started test server tells about itself. */
import type { ServerProcess } from './process.ts';

export interface ServerInstance extends AsyncDisposable {
  readonly kind: 'dovecot' | 'cyrus' | 'courier' | 'imap4d';
  readonly host: string;
  /** Clear text; Dovecot and Cyrus offer STARTTLS here as well. */
  readonly port: number;
  /** TLS from the first byte; `null`: this server has none. */
  readonly tlsPort: number | null;
  /** PEM file of the authority that signed the server's certificate; `null` without TLS. */
  readonly caFile: string | null;
  /** Login names. Dovecot takes any other name as well. */
  readonly users: readonly [string, ...string[]];
  /** The one password of all users. */
  readonly password: string;
  readonly process: ServerProcess;
  /** Ends the server and removes its mail. */
  stop(): Promise<void>;
}

/** An account on a server, as the raw client, the corpus loader and the comparison dial it (clear text). */
export interface AccountAccess {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

/** The account of `user` (default: the server's first). */
export function accessTo(server: ServerInstance, user: string = server.users[0]): AccountAccess {
  return { host: server.host, port: server.port, user, password: server.password };
}
