import type { Command, Untagged } from '../command.ts';
import type { Lexer } from '../lexer.ts';
import type { FolderName } from '../types.ts';

/** One resource of one quota root (RFC 9208 3). */
export interface Quota {
  /** As listed, one character per byte (latin1); often empty. */
  readonly root: string;
  /** Upper case: `STORAGE` counts units of 1024 bytes, `MESSAGE` messages. */
  readonly resource: string;
  readonly usage: number;
  readonly limit: number;
}

export interface QuotaRoots {
  /** The roots that apply to the folder. */
  readonly roots: string[];
  readonly quotas: Quota[];
}

/** GETQUOTAROOT (RFC 9208 4.1.3, RFC 2087 4.3). */
export function quotaRootCommand(folder: FolderName): Command<QuotaRoots> {
  const roots: string[] = [];
  const quotas: Quota[] = [];
  return {
    name: 'GETQUOTAROOT',
    pipelining: 'free',
    changesState: false,
    write: (out) => void out.raw('GETQUOTAROOT').sp().mailbox(folder),
    accept(response) {
      if (response.kind === 'data' && response.name === 'QUOTAROOT') {
        roots.push(...parseRoots(response.lexer));
        return true;
      }
      return acceptQuota(response, quotas);
    },
    finish: () => ({ roots, quotas }),
  };
}

/** GETQUOTA (RFC 9208 4.1.2). */
export function quotaCommand(root: string): Command<Quota[]> {
  const quotas: Quota[] = [];
  return {
    name: 'GETQUOTA',
    pipelining: 'free',
    changesState: false,
    write: (out) => void out.raw('GETQUOTA').sp().astring(Buffer.from(root, 'latin1')),
    accept: (response) => acceptQuota(response, quotas),
    finish: () => quotas,
  };
}

/** SETQUOTA (RFC 9208 4.1.1); resources that are not named have no limit afterwards. */
export function setQuotaCommand(root: string, limits: Readonly<Record<string, number>>): Command<Quota[]> {
  const quotas: Quota[] = [];
  return {
    name: 'SETQUOTA',
    pipelining: 'free',
    changesState: true,
    write(out) {
      out.raw('SETQUOTA').sp().astring(Buffer.from(root, 'latin1')).raw(' (');
      Object.entries(limits).forEach(([resource, limit], index) => {
        if (index > 0) out.sp();
        out.atom(resource).sp().number(limit);
      });
      out.raw(')');
    },
    accept: (response) => acceptQuota(response, quotas),
    finish: () => quotas,
  };
}

function parseRoots(lexer: Lexer): string[] {
  lexer.space();
  lexer.astring();
  const roots: string[] = [];
  for (lexer.skipSpaces(); !lexer.atEnd; lexer.skipSpaces()) roots.push(lexer.astring());
  return roots;
}

function acceptQuota(response: Untagged, quotas: Quota[]): boolean {
  if (response.kind !== 'data' || response.name !== 'QUOTA') return false;
  const { lexer } = response;
  lexer.space();
  const root = lexer.astring();
  // Courier 5.0.13 answers `* QUOTA "ROOT"` without a list where no quota is set.
  if (lexer.atEnd) return true;
  lexer.space();
  lexer.list(() => {
    const resource = lexer.word();
    lexer.space();
    const usage = lexer.number53();
    lexer.space();
    quotas.push({ root, resource, usage, limit: lexer.number53() });
  });
  lexer.finish();
  return true;
}
