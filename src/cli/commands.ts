/**
 * What each command does: load the accounts, call the engine once, tell the outcome, return the exit code.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  type AccountSettings,
  type EndpointSettings,
  endpointLabel,
  isTree,
  messageKey,
  type TreeSelection,
  type TreeSettings,
} from '../account.ts';
import { parseTreeReference, type TreePlace } from '../archive/tree.ts';
import { toTreeName } from '../archive/tree-name.ts';
import { toDisplay } from '../display.ts';
import { ConfigError, exitCodes, worstExitCode } from '../errors.ts';
import { checkTraceFile } from '../trace-file.ts';
import { accountLines } from './account-summary.ts';
import { runIndex } from './archive.ts';
import { tellJobSummary, tellJobVerdict } from './job-summary.ts';
import { type OptionValues, toJobOptions } from './options.ts';
import { planProblems, planSentence, planTable } from './plan-summary.ts';
import type { Session } from './session.ts';
import { runStoppable } from './signals.ts';
import { damageLines, tellTreeVerdict, treeVerifyTable } from './tree-verify-summary.ts';
import { differenceLines, tellVerifyVerdict, verifyTable } from './verify-summary.ts';

/** `imap-migrate SRC DST`, and with `dryRun` `imap-migrate plan SRC DST`. */
export async function runMigrate(
  session: Session,
  files: readonly string[],
  options: OptionValues,
  dryRun: boolean,
): Promise<number> {
  return await copy(session, await loadPair(session, files, options, { writes: !dryRun }), options, dryRun);
}

/** `imap-migrate export TREE DST`: what a search finds, a folder, or all of it. */
export async function runExport(session: Session, words: readonly string[], options: OptionValues): Promise<number> {
  const [tree = '', destination = '', ...criteria] = words;
  const { engine } = session.io;
  const reference = parseTreeReference(tree);
  if (reference === null)
    throw new ConfigError(`${tree} is no tree: a directory is wanted, or maildir:PATH, mbox:PATH or eml:PATH`);
  const query = criteria.length === 0 ? null : await engine.parseQuery(criteria);
  const chooses = query !== null || options.folder !== undefined;
  const only: TreeSelection[] = [];
  if (chooses) {
    const { stoppedWith } = await runStoppable(session, async (signal) => {
      const found = engine.findMessages(reference, { query, folder: options.folder ?? null }, { signal });
      for await (const { path, entries } of found) {
        only.push({ folder: toTreeName(path), messages: new Set(entries.map(({ message }) => messageKey(message))) });
      }
    });
    if (stoppedWith !== null) return stoppedWith;
    if (only.length === 0) {
      session.verdict('nothing found, nothing copied', 'warning');
      return exitCodes.partial;
    }
  }
  const { source, target } = await loadPair(session, [tree, destination], options, { writes: true });
  const chosen = chooses && isTree(source) ? { ...source, only } : source;
  return await copy(session, { source: chosen, target }, options, false);
}

async function copy(
  session: Session,
  { source, target }: { readonly source: EndpointSettings; readonly target: EndpointSettings },
  options: OptionValues,
  dryRun: boolean,
): Promise<number> {
  if (options.index && (!isTree(target) || target.format === 'mbox')) {
    throw new ConfigError('--index writes the page of an eml or a Maildir tree as DST');
  }
  if (options.mirror && !isTree(target)) {
    throw new ConfigError('--mirror is for backups: it deletes from a tree as DST, never from an account');
  }
  const { io } = session;
  const settings = { ...toJobOptions(options, io), source, target, dryRun };
  const { result, stoppedWith } = await runStoppable(session, (signal) =>
    io.engine.migrate(settings, {
      onEvent: session.onEvent,
      signal,
      renew: ({ file }) => loadAccount(session, file, options),
    }),
  );
  const report = session.clean(result);
  const exitCode = report.verdict === 'stopped' && stoppedWith !== null ? stoppedWith : report.exitCode;
  const blocked = tellPlan(session, dryRun);
  if (dryRun || blocked) session.remindOf(report.warnings);
  else tellJobSummary(session, report);
  const planned = dryRun && (report.verdict === 'complete' || report.verdict === 'partial');
  if (!planned && !blocked) tellJobVerdict(session, report);
  const isDone = report.verdict === 'complete' || report.verdict === 'partial';
  if (!options.index || !isTree(target) || dryRun || !isDone) return exitCode;
  return worstExitCode([exitCode, await runIndex(session, [`${target.format}:${target.path}`], options)]);
}

/** Tells what there is to say about the plan; with `wanted` all of it. True: it cannot be carried out. */
function tellPlan(session: Session, wanted: boolean): boolean {
  const { plan } = session;
  if (plan === null) return false;
  if (wanted) session.report(planTable(session, plan));
  const { errors } = planProblems(plan);
  if (errors.length > 0) {
    session.problem(...errors);
    session.verdict('plan: it cannot be carried out as it stands. Nothing was written.', 'bad');
    return true;
  }
  if (wanted) session.verdict(`plan: ${planSentence(plan)}. Nothing was written.`, 'good');
  return false;
}

/** `imap-migrate verify SRC DST`, or a backup alone. */
export async function runVerify(session: Session, files: readonly string[], options: OptionValues): Promise<number> {
  const [word = '', other] = files;
  if (other === undefined) return await runVerifyTree(session, word, options);
  const { io } = session;
  const { source, target } = await loadPair(session, files, options, { writes: false });
  return verifyPair(session, { ...toJobOptions(options, io), source, target, dryRun: true, digest: options.digest });
}

async function runVerifyTree(session: Session, word: string, options: OptionValues): Promise<number> {
  const reference = parseTreeReference(word);
  if (reference === null) {
    throw new ConfigError(`${word} is no backup: name a directory, or the two sides that are to be compared`);
  }
  const place = await session.io.engine.findTree(reference, { create: false });
  const { result, stoppedWith } = await runStoppable(session, (signal) =>
    session.io.engine.verifyTree(toTreeSettings(place, options), { onEvent: session.onEvent, signal }),
  );
  const report = session.clean(result);
  session.emit({ kind: 'tree-verified', report });
  session.report(treeVerifyTable(session, report));
  if (report.damages.length > 0) session.problem('Damages:', ...damageLines(session, report));
  tellTreeVerdict(session, report);
  return stoppedWith ?? report.exitCode;
}

/** Compares, tells the outcome and returns the exit code. */
export async function verifyPair(
  session: Session,
  settings: Parameters<Session['io']['engine']['verify']>[0],
): Promise<number> {
  const { engine } = session.io;
  const { result, stoppedWith } = await runStoppable(session, (signal) =>
    engine.verify(settings, { onEvent: session.onEvent, signal }),
  );
  const report = session.clean(result);
  session.emit({ kind: 'verified', report });
  session.report(verifyTable(session, report));
  if (report.differences.length > 0) session.problem('Differences:', ...differenceLines(session, report));
  tellVerifyVerdict(session, report, stoppedWith !== null);
  return stoppedWith ?? report.exitCode;
}

/** `imap-migrate check ACCOUNT..`: every account, whatever became of the one before it. */
export async function runCheck(session: Session, files: readonly string[], options: OptionValues): Promise<number> {
  const codes: number[] = [];
  for (const [index, file] of files.entries()) {
    if (index > 0) session.report(['']);
    try {
      const account = await loadAccount(session, file, options);
      const { result, stoppedWith } = await runStoppable(session, (signal) =>
        session.io.engine.checkAccount(account, { onEvent: session.onEvent, signal }),
      );
      const report = session.clean(result);
      session.emit({ kind: 'account', report });
      session.report(accountLines(session, report));
      session.remindOf(report.warnings);
      session.verdict(`${toDisplay(report.account)}: the account can be used`, 'good');
      if (stoppedWith !== null) return stoppedWith;
      codes.push(exitCodes.ok);
    } catch (error) {
      const code = session.fail(error);
      if (code === exitCodes.interrupted || code === exitCodes.terminated) return code;
      codes.push(code);
    }
  }
  return worstExitCode(codes);
}

/** The account of `file`, as the options want it opened; its secret is kept out of all that is said from now on. */
export async function loadAccount(session: Session, file: string, options: OptionValues): Promise<AccountSettings> {
  const account = await session.io.engine.loadAccount(file, {
    allowReadableSecrets: options['allow-readable-secrets'],
  });
  session.keepSecret(account);
  const { 'trace-imap': trace } = options;
  if (trace === undefined) return account;
  checkTraceFile(trace);
  return { ...account, trace: resolve(trace) };
}

/** Both sides of a job. `writes`: a tree that is the target is made where it is not there yet. */
async function loadPair(
  session: Session,
  words: readonly string[],
  options: OptionValues,
  { writes }: { readonly writes: boolean },
) {
  const [sourceWord = '', targetWord = ''] = words;
  const source = await loadSource(session, sourceWord, options);
  const target = await loadTarget(session, targetWord, options, { writes });
  if (isSame(source, target)) {
    throw new ConfigError(
      `${sourceWord} and ${targetWord} name the same account (${endpointLabel(source)}): nothing to copy. Is one of them the wrong file?`,
    );
  }
  return { source, target };
}

async function loadSource(session: Session, word: string, options: OptionValues): Promise<EndpointSettings> {
  const reference = parseTreeReference(word);
  if (reference === null) return await loadAccount(session, word, options);
  const place = await session.io.engine.findTree(reference, { create: false });
  return { ...toTreeSettings(place, options), includeGone: options['with-gone'] };
}

async function loadTarget(
  session: Session,
  word: string,
  options: OptionValues,
  { writes }: { readonly writes: boolean },
): Promise<EndpointSettings> {
  const { format = null } = options;
  const named = parseTreeReference(word);
  if (named === null && format === null) {
    return await loadAccount(session, word, options).catch((error: unknown) => {
      if (!(error instanceof ConfigError) || existsSync(word)) throw error;
      const advice = `a new directory for a backup ends in a slash: ${word}/`;
      throw new ConfigError(`${error.message}; ${advice}`, { cause: error });
    });
  }
  const reference = named ?? { format, path: word };
  if (format !== null && reference.format !== null && reference.format !== format)
    throw new ConfigError(`${word} contradicts --format ${format}`);
  const wanted = { ...reference, format: reference.format ?? format };
  const place = await session.io.engine.findTree(wanted, { create: writes, mayBeMissing: true });
  if (options['store-compress'] !== 'none' && place.format !== 'eml')
    throw new ConfigError(`--store-compress is for eml trees, and ${word} is a tree of the kind ${place.format}`);
  return toTreeSettings(place, options);
}

function toTreeSettings({ format, root, stateDirectory }: TreePlace, options: OptionValues): TreeSettings {
  const { fsync, layout, 'store-compress': storeCompress } = options;
  return { format, path: root, stateDirectory, includeGone: true, fsync, layout, storeCompress };
}

function isSame(a: EndpointSettings, b: EndpointSettings): boolean {
  if (isTree(a) || isTree(b)) return isTree(a) && isTree(b) && a.path === b.path;
  return isSameAccount(a, b);
}

function isSameAccount(a: AccountSettings, b: AccountSettings): boolean {
  const place = ({ command, host, port }: AccountSettings) => command ?? `${host.toLowerCase()}:${port}`;
  return place(a) === place(b) && a.username === b.username && a.authorizationId === b.authorizationId;
}
