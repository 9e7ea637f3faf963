import { MigrateError } from '../../src/errors.ts';
import { internalDateToEpochMs } from '../../src/protocol/datetime.ts';
import type { SandboxMailbox, StoredMessage } from '../../src/sandbox/index.ts';
import { digestOf } from './process.ts';
import type { Scenario } from './scenario.ts';
import type { ActOutcome } from './simulate.ts';
import { type FolderHistory, isRefused, type World, withCrlf } from './world.ts';

/** A broken promise, by the number it has in the list of guarantees; 0: something threw that should not. */
export class Violation extends Error {
  override readonly name = 'Violation';
  readonly guarantee: number;

  constructor(guarantee: number, message: string) {
    super(message);
    this.guarantee = guarantee;
  }
}

/** What there was at one moment. */
export interface Stock {
  readonly atTarget: number;
  readonly byOthers: number;
  readonly atSource: ReadonlyMap<FolderHistory, ReadonlySet<StoredMessage>>;
  readonly commands: number;
}

/** Commands a run may need: for its messages, its folders, and what goes wrong. */
const commandsPerMessage = 30;
const commandsPerFolder = 400;
const commandsPerRun = 4_000;

export function takeStock(world: World): Stock {
  const { servers, target } = world.engine;
  return {
    atTarget: target.messageCount,
    byOthers: world.storedByOthers,
    atSource: new Map(world.folders.map((folder) => [folder, new Set(folder.source.messages)])),
    commands: servers.source.commandLog.length + servers.target.commandLog.length,
  };
}

/** What holds for every run, however it ended. */
export function checkRun(
  world: World,
  outcome: ActOutcome,
  before: Stock,
  { stopMs, isDisturbed }: { readonly stopMs: number; readonly isDisturbed: boolean },
): void {
  if (world.unintended.length > 0)
    throw new Violation(4, `${world.unintended.length} messages were sent before their intent was durable`);
  const after = takeStock(world);
  const messages = [...before.atSource.values()].reduce((sum, each) => sum + each.size, 0);
  const most = commandsPerRun + commandsPerFolder * world.folders.length + commandsPerMessage * messages;
  if (after.commands - before.commands > most) throw new Violation(6, `${after.commands - before.commands} commands`);
  if (outcome.stoppedWithinMs !== null && outcome.stoppedWithinMs > stopMs && outcome.report?.verdict === 'stopped')
    throw new Violation(12, `out ${outcome.stoppedWithinMs} ms after it was told to stop`);
  const { report, error } = outcome;
  if (error !== null) {
    if (!(error instanceof MigrateError)) throw new Violation(5, `threw ${error.stack}`);
    // A thread that died is internal, and named.
    if (error.exitCode === 1 && error.code !== 'THREAD') throw new Violation(5, `internal error: ${error.message}`);
    if (!isDisturbed) throw new Violation(5, `an undisturbed run could not begin: ${error.message}`);
  }
  if (report === null) return;
  if (report.exitCode === 1 && report.failure?.code !== 'THREAD')
    throw new Violation(5, `internal error: ${JSON.stringify(report)}`);
  const appended = after.atTarget - before.atTarget - (after.byOthers - before.byOthers);
  if (report.copied > appended) throw new Violation(4, `${report.copied} reported as copied, ${appended} stored`);
  const isWhole = report.verdict === 'complete' && report.exitCode === 0;
  if (isWhole !== (report.verdict === 'complete' || report.exitCode === 0))
    throw new Violation(5, `verdict ${report.verdict} with exit code ${report.exitCode}`);
  if (!isWhole) return;
  for (const [folder, messagesBefore] of before.atSource) {
    const stayed = folder.source.messages.filter((message) => messagesBefore.has(message));
    const target = counted(messagesOf(world.targetOf(folder)));
    for (const [digest, count] of counted(stayed)) {
      if ((target.get(digest) ?? 0) < count)
        throw new Violation(
          1,
          `complete, but ${folder.path.join('/')} lacks ${digest.slice(0, 12)}: ${target.get(digest) ?? 0} of ${count}`,
        );
    }
  }
}

/** What holds after a run that nothing disturbed. */
export function checkEnd(world: World, scenario: Scenario, { report }: ActOutcome): void {
  if (report === null) throw new Violation(1, 'the undisturbed run has no report');
  const refusable = world.folders.flatMap(({ source }) => source.messages.filter(isNotTaken));
  const expected = refusable.length === 0 ? 0 : 3;
  const said = () =>
    JSON.stringify({
      ...report,
      folders: report.folders.map(({ refused, notes, source }) => ({ source, refused, notes })),
    });
  if (report.exitCode !== expected)
    throw new Violation(5, `exit code ${report.exitCode} instead of ${expected}: ${said()}`);
  if (report.refused !== refusable.length)
    throw new Violation(5, `${report.refused} refused instead of ${refusable.length}: ${said()}`);
  const total = world.folders.reduce((sum, { source }) => sum + source.messages.length, 0);
  const dealtWith = report.copied + report.alreadyThere + report.refused;
  if (dealtWith !== total) throw new Violation(5, `${dealtWith} of ${total} messages accounted for: ${said()}`);
  for (const folder of world.folders) checkFolder(world, scenario, folder);
}

/** What holds for a run with nothing to do. */
export function checkRepeat(world: World, calm: ActOutcome, again: ActOutcome, before: Stock): void {
  const { report } = again;
  if (report === null || report.exitCode !== calm.report?.exitCode)
    throw new Violation(2, `the run after that ends otherwise: ${again.error?.message ?? report?.exitCode}`);
  if (report.copied > 0 || report.flagsChanged > 0)
    throw new Violation(
      2,
      `the run after that copied ${report.copied} and changed the flags of ${report.flagsChanged}`,
    );
  if (takeStock(world).atTarget !== before.atTarget) throw new Violation(2, 'the run after that stored something');
  const names = world.engine.commands('target');
  if (report.refused === 0 && names.includes('APPEND')) throw new Violation(2, 'the run after that sent an APPEND');
}

function checkFolder(world: World, scenario: Scenario, folder: FolderHistory): void {
  const name = folder.path.join('/');
  const wanted = folder.source.messages.filter((message) => !isNotTaken(message));
  const there = messagesOf(world.targetOf(folder));
  const canonical = scenario.target.rewritesLines ? canonicalDigest : exactDigest;
  const count = (digests: readonly string[]) =>
    digests.reduce((map, it) => map.set(it, (map.get(it) ?? 0) + 1), new Map<string, number>());
  // Digests of what is not there any more are of the bytes as they were at the source.
  const alias = world.canonicalOf;
  const key = (digest: string) => (scenario.target.rewritesLines ? (alias.get(digest) ?? digest) : digest);
  const source = count(wanted.map(canonical));
  const target = count(there.map(canonical));
  const expunged = count(folder.expunged.map(key));
  const foreign = count(folder.foreign.map(key));
  const atFirst = count(folder.atFirst.map(key));
  for (const digest of new Set([...source.keys(), ...target.keys(), ...foreign.keys(), ...atFirst.keys()])) {
    const [atSource, others, first, gone] = [source, foreign, atFirst, expunged].map((map) => map.get(digest) ?? 0) as [
      number,
      number,
      number,
      number,
    ];
    const found = target.get(digest) ?? 0;
    const least = Math.max(atSource, others + first);
    const most = Math.max(atSource + gone, first) + others;
    const facts = `${digest.slice(0, 12)} in ${name}: ${found} at the target, ${atSource} at the source, ${gone} gone from there, ${others + first} by others`;
    if (found < least) throw new Violation(1, `lost ${facts}`);
    if (found > most) throw new Violation(2, `doubled ${facts}`);
  }
  checkFlags(folder, wanted, there, canonical);
}

/** Flags and dates are equal, of messages that nobody else had a hand in. */
function checkFlags(
  folder: FolderHistory,
  wanted: readonly StoredMessage[],
  there: readonly StoredMessage[],
  digest: (message: StoredMessage) => string,
): void {
  const others = new Set([...folder.expunged, ...folder.foreign, ...folder.atFirst]);
  const ours = wanted.filter((message) => !others.has(exactDigest(message)));
  const digests = new Set(ours.map(digest));
  const describe = (message: StoredMessage) =>
    JSON.stringify([
      digest(message).slice(0, 12),
      internalDateToEpochMs(message.internalDate),
      ...(folder.flagsForgotten ? [] : [[...message.flags].sort()]),
    ]);
  const expected = ours.map(describe).sort();
  const found = there
    .filter((message) => digests.has(digest(message)))
    .map(describe)
    .sort();
  for (const [index, line] of expected.entries()) {
    if (line !== found[index])
      throw new Violation(3, `in ${folder.path.join('/')}: ${found[index]} instead of ${line}`);
  }
}

function messagesOf(mailbox: SandboxMailbox | null): readonly StoredMessage[] {
  return mailbox?.messages ?? [];
}

/** Digest of the lines -> how many. */
function counted(messages: readonly StoredMessage[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const message of messages) counts.set(canonicalDigest(message), (counts.get(canonicalDigest(message)) ?? 0) + 1);
  return counts;
}

const digests = new WeakMap<Buffer, { readonly exact: string; readonly canonical: string }>();

function digestsOf({ body }: StoredMessage): { readonly exact: string; readonly canonical: string } {
  const known = digests.get(body);
  if (known !== undefined) return known;
  const made = { exact: digestOf(body), canonical: digestOf(withCrlf(body)) };
  digests.set(body, made);
  return made;
}

function exactDigest(message: StoredMessage): string {
  return digestsOf(message).exact;
}

function canonicalDigest(message: StoredMessage): string {
  return digestsOf(message).canonical;
}

function isNotTaken({ body }: StoredMessage): boolean {
  return body.length === 0 || isRefused(body);
}
