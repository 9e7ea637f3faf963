import { type EndpointSettings, endpointLabel, isTree } from '../account.ts';
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
import type { LaneFailure, PushedBack } from './contract.ts';
import { judge, type Moment, pushBackIn, type Verdict } from './push-back.ts';

/** What went wrong, with the side it went wrong on. */
export class SideError extends Error {
  override readonly name = 'SideError';
  readonly side: Side;
  readonly account: EndpointSettings;

  constructor(side: Side, account: EndpointSettings, cause: unknown) {
    super(`the ${side} failed`, { cause });
    this.side = side;
    this.account = account;
  }
}

/** Errors after which a session goes on: the server refused, or nothing was sent. */
const survivable: ReadonlySet<string> = new Set(['NO', 'BAD', 'CAPABILITY', 'USAGE', 'STATE']);

/** True when the connection cannot be used any more. */
export function isConnectionLost(error: unknown): boolean {
  return error instanceof ImapError && !survivable.has(error.code);
}

/** What follows from an error, where a server gave it its words; `refused` where it gave none. */
export function verdictOn(error: unknown, during: Moment): Verdict {
  if (error instanceof CommandError)
    return judge({ status: error.status, code: error.responseCode, text: error.text, during });
  if (error instanceof ByeError) return judge({ status: 'BYE', code: error.responseCode, text: error.text, during });
  if (error instanceof AuthenticationError && error.cause instanceof CommandError)
    return verdictOn(error.cause, 'login');
  return { kind: 'refused' };
}

/** The push-back in an error, with the server's words; `null`: there is none. */
export function pushedBackBy(error: unknown, during: Moment): PushedBack | null {
  if (error instanceof SideError) return pushedBackBy(error.cause, during);
  const what = pushBackIn(verdictOn(error, during));
  return what === null ? null : { what, words: wordsOf(error) };
}

function wordsOf(error: unknown): string {
  if (error instanceof CommandError || error instanceof ByeError) return error.text;
  return error instanceof AuthenticationError ? wordsOf(error.cause) : '';
}

/** Turns whatever was thrown into plain data with one line for a person. Server words inside are raw. */
export function toWireError(
  error: unknown,
  where: { readonly side: Side; readonly account: EndpointSettings } | null,
): WireError {
  const place = where === null ? '' : placeOf(where.side, where.account);
  if (error instanceof SideError) return toWireError(error.cause, error);
  if (error instanceof MigrateError) return { code: error.code, exitCode: error.exitCode, message: error.message };
  if (error instanceof AuthenticationError) {
    const { kind } = verdictOn(error, 'login');
    if (kind === 'wait' || kind === 'park' || kind === 'connections') {
      const message = `${place}the server lets nobody in now: ${error.message}`;
      return { code: 'BUSY', exitCode: exitCodes.connect, message };
    }
    return {
      code: 'LOGIN',
      exitCode: exitCodes.login,
      message: `${place}login refused: ${error.message}; check username, password and auth`,
    };
  }
  if (error instanceof CommandError) {
    if (verdictOn(error, 'other').kind === 'full') {
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

function placeOf(side: Side, account: EndpointSettings): string {
  const file = isTree(account) ? '' : ` (${account.file})`;
  return `${side} ${endpointLabel(account)}${file}: `;
}

/** With these no lane fares better. */
const finalCodes: readonly number[] = [exitCodes.login, exitCodes.quota, exitCodes.disk, exitCodes.usage];

/** The failure of a lane or of one of its folders, as the main thread gets it. */
export function toLaneFailure(
  error: unknown,
  where: { readonly side: Side; readonly account: EndpointSettings } | null,
): LaneFailure {
  const side = error instanceof SideError ? error.side : (where?.side ?? null);
  const wire = toWireError(error, where);
  const pushedBack = pushedBackBy(error, 'other');
  const isFinal = finalCodes.includes(wire.exitCode);
  if (isFinal && pushedBack === null) return { side, scope: 'job', inDoubt: false, error: wire, pushedBack };
  const isUseless = pushedBack?.what.kind === 'reconnect' || pushedBack?.what.kind === 'token';
  const lost = isUseless || isConnectionLost(error instanceof SideError ? error.cause : error);
  const scope = lost || wire.exitCode === exitCodes.internal ? 'lane' : 'folder';
  return { side, scope, inDoubt: false, error: wire, pushedBack };
}
