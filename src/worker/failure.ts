import { type AccountSettings, accountLabel } from '../account.ts';
import { exitCodes, MigrateError, type WireError } from '../errors.ts';
import type { Side } from '../job.ts';
import {
  AuthenticationError,
  ByeError,
  CommandError,
  ConnectError,
  ConnectionClosedError,
  ImapError,
  LimitError,
  ProtocolError,
  TimeoutError,
  TlsError,
} from '../protocol/index.ts';
import type { LaneFailure } from './contract.ts';

/** What went wrong, with the side it went wrong on. */
export class SideError extends Error {
  override readonly name = 'SideError';
  readonly side: Side;
  readonly account: AccountSettings;

  constructor(side: Side, account: AccountSettings, cause: unknown) {
    super(`the ${side} failed`, { cause });
    this.side = side;
    this.account = account;
  }
}

/** Response codes that say the folder takes no message at all (RFC 5530, RFC 3501). */
const folderCodes: ReadonlySet<string> = new Set(['NOPERM', 'READ-ONLY', 'NONEXISTENT', 'CONTACTADMIN']);

/** True when a refusal concerns the folder, not this message. */
export function isFolderRefused(responseCode: string | null): boolean {
  return responseCode !== null && folderCodes.has(responseCode);
}

/** Response codes that say the whole account cannot take more, whatever the message (RFC 9208, RFC 5530). */
const quotaCodes: ReadonlySet<string> = new Set(['OVERQUOTA']);

/** True when a refusal concerns the account's space, not this message. */
export function isOverQuota(responseCode: string | null): boolean {
  return responseCode !== null && quotaCodes.has(responseCode);
}

/** Errors after which a session goes on: the server refused, or nothing was sent. */
const survivable: ReadonlySet<string> = new Set(['NO', 'BAD', 'CAPABILITY', 'USAGE', 'STATE']);

/** True when the connection cannot be used any more. */
export function isConnectionLost(error: unknown): boolean {
  return error instanceof ImapError && !survivable.has(error.code);
}

/** Turns whatever was thrown into plain data with one line for a person. Server words inside are raw. */
export function toWireError(
  error: unknown,
  where: { readonly side: Side; readonly account: AccountSettings } | null,
): WireError {
  const place = where === null ? '' : `${where.side} ${accountLabel(where.account)} (${where.account.file}): `;
  if (error instanceof SideError) return toWireError(error.cause, error);
  if (error instanceof MigrateError) return { code: error.code, exitCode: error.exitCode, message: error.message };
  if (error instanceof AuthenticationError) {
    return {
      code: 'LOGIN',
      exitCode: exitCodes.login,
      message: `${place}login refused: ${error.message}; check username, password and auth`,
    };
  }
  if (error instanceof CommandError) {
    if (isOverQuota(error.responseCode)) {
      return {
        code: 'QUOTA',
        exitCode: exitCodes.quota,
        message: `${place}the account is full: ${error.text}; free or buy space, then run again`,
      };
    }
    return {
      code: error.code,
      exitCode: exitCodes.partial,
      message: `${place}${error.command} refused: ${error.text}`,
    };
  }
  if (
    error instanceof ConnectError ||
    error instanceof TlsError ||
    error instanceof TimeoutError ||
    error instanceof ConnectionClosedError ||
    error instanceof ByeError ||
    error instanceof ProtocolError ||
    error instanceof LimitError
  ) {
    return { code: error.code, exitCode: exitCodes.connect, message: `${place}${error.message}` };
  }
  if (error instanceof ImapError) {
    return { code: error.code, exitCode: exitCodes.partial, message: `${place}${error.message}` };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'INTERNAL', exitCode: exitCodes.internal, message: `${place}${message}` };
}

/** The failure of a lane or of one of its folders, as the main thread gets it. */
export function toLaneFailure(
  error: unknown,
  where: { readonly side: Side; readonly account: AccountSettings } | null,
): LaneFailure {
  const side = error instanceof SideError ? error.side : (where?.side ?? null);
  const wire = toWireError(error, where);
  if (wire.exitCode === exitCodes.login || wire.exitCode === exitCodes.quota)
    return { side, scope: 'job', inDoubt: false, error: wire };
  const lost = isConnectionLost(error instanceof SideError ? error.cause : error);
  const scope = lost || wire.exitCode === exitCodes.internal ? 'lane' : 'folder';
  return { side, scope, inDoubt: false, error: wire };
}
