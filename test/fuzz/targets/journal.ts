import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { exitCodes, MigrateError } from '../../../src/errors.ts';
import { type Journal, type JournalFolder, journalFile, openJournal, peekJournal } from '../../../src/journal/index.ts';
import { type Manifest, openManifest } from '../../../src/journal/manifest.ts';
import {
  type Content,
  contentOf,
  inState,
  intent,
  intents,
  opened,
  source,
  target,
  verdict,
  verdicts,
} from '../../journal/fixtures.ts';
import { writeSchema3 } from '../../journal/schema-3.ts';
import { assertSame } from '../same.ts';
import type { FuzzTarget } from '../target.ts';

/** What a run leaves: the file, and beside it the log of a run that was not ended. */
interface Files {
  readonly file: Buffer;
  readonly log: Buffer | null;
}

/** Files as they were written, and all that a journal may be found to hold that was made of them. */
interface Recorded extends Files {
  readonly history: readonly Content[];
}

/**
 * A journal of a closed run, and the log of one that was cut off: refused as damaged, or it holds exactly what was in it
 * (at some moment, where the log is torn), and can be written and opened again.
 */
export async function journalTargets(): Promise<FuzzTarget[]> {
  const closed = await recordRun(true);
  const running = await recordRun(false);
  const older = await recordSchema3();
  const logs = running.log === null ? [] : [running.log];
  const words = ['SQLite format 3\0', 'INBOX', 'copied', 'closed', '\\Seen', '\0\0\0\0', '\xff\xff\xff\xff', '\0'];
  // A mutation takes pieces of others, but no whole one.
  const ended = [...closed.history.slice(-1), ...older.history];
  return [
    {
      name: 'journal',
      corpus: [closed.file, running.file, older.file],
      words,
      check: (file) => checkFiles({ file, log: null }, { ended, cut: running.history }),
    },
    {
      name: 'journal-log',
      corpus: logs,
      words,
      check: (log) => checkFiles({ file: running.file, log }, { ended: [], cut: running.history }),
    },
  ];
}

interface Allowed {
  /** For a journal that says its run ended in an orderly way. */
  readonly ended: readonly Content[];
  /** For one that says it did not. */
  readonly cut: readonly Content[];
}

const newUid = 4_000_000;

async function checkFiles({ file, log }: Files, allowed: Allowed): Promise<void> {
  await inStateDir(async (stateDir) => {
    const path = journalFile(inState(stateDir), source, target);
    writeFileSync(path, file);
    if (log !== null) writeFileSync(`${path}-wal`, log);
    const peeked = await held(() => peekJournal(inState(stateDir), source, target, { inline: true }), allowed);
    checkManifest(path, peeked);
    if (peeked === null) return;
    const open = () => openJournal(inState(stateDir), source, target, { inline: true });
    const before = await held(open, allowed, async (journal) => {
      const { id } = await journal.openFolder(opened('INBOX'));
      await journal.write(...verdicts(id, [verdict(newUid)]));
    });
    if (before === null) throw new Error('a journal that can be read cannot be opened');
    assertSame(before, peeked, 'reading shows something else than opening');
    await using again = await open();
    const { messages } = await contentOf(again);
    const inbox = again.folders().findIndex(({ targetName }) => targetName === 'INBOX');
    const expected = before.messages[inbox] ?? [];
    assertSame(
      [...(messages[inbox] ?? [])].sort(),
      [...expected, `${newUid} copied ${newUid + 100} \\Seen`].sort(),
      'a journal that was written does not hold that and what it held',
    );
    assertSame(
      messages.toSpliced(inbox, 1),
      before.messages.toSpliced(inbox, 1),
      'another folder holds something else',
    );
  });
}

/** Read as a manifest, it is refused as well, or tells what the journal told of messages that have a target UID. */
function checkManifest(path: string, peeked: Content | null): void {
  let manifest: Manifest;
  try {
    manifest = openManifest(path);
  } catch (error) {
    assertDamage(error);
    return;
  }
  try {
    for (const { targetName } of manifest.folders()) {
      const { sourceUids, targetUids } = manifest.messages(targetName);
      const told = Array.from(sourceUids, (uid, row) => `${uid} ${targetUids[row]}`);
      const folder = peeked?.folders.findIndex((one) => (one as JournalFolder).targetName === targetName) ?? -1;
      const known = peeked?.messages[folder]?.map((line) => line.split(' ')).filter(([, , uid]) => uid !== '0');
      if (known !== undefined)
        assertSame(
          told.sort(),
          known.map(([uid, , there]) => `${uid} ${there}`).sort(),
          'the manifest tells other messages',
        );
    }
  } catch (error) {
    assertDamage(error);
  } finally {
    manifest.close();
  }
}

function assertDamage(error: unknown): void {
  if (!(error instanceof MigrateError && error.exitCode === exitCodes.journal)) throw error;
}

/** What the journal holds, null where it was refused as damaged. */
async function held(
  open: () => Promise<Journal | null>,
  allowed: Allowed,
  use: (journal: Journal) => Promise<void> = async () => {},
): Promise<Content | null> {
  let journal: Journal | null;
  try {
    journal = await open();
  } catch (error) {
    assertDamage(error);
    return null;
  }
  if (journal === null) throw new Error('a file that is there was not found');
  await using closing = journal;
  const content = settled(await contentOf(closing));
  if (closing.state === 'new') throw new Error('a journal that is there was begun anew');
  const candidates = closing.state === 'clean' ? allowed.ended : allowed.cut;
  if (!candidates.some((candidate) => isDeepStrictEqual(candidate, content))) {
    assertSame(content, candidates.at(-1), `a journal (${closing.state}) holds what was never in it`);
  }
  await use(closing);
  return content;
}

/** The content without what only says that it is in doubt. */
function settled({ folders, ...rest }: Content): Content {
  return { ...rest, folders: folders.map((folder) => ({ ...(folder as object), inDoubt: false })) };
}

async function recordRun(closed: boolean): Promise<Recorded> {
  return inStateDir(async (stateDir) => {
    const path = journalFile(inState(stateDir), source, target);
    const history: Content[] = [];
    let running: Files | null = null;
    {
      await using journal = await openJournal(inState(stateDir), source, target, { inline: true });
      const note = async () => void history.push(settled(await contentOf(journal)));
      for (const name of ['INBOX', 'Archive']) {
        const { id } = await journal.openFolder(opened(name));
        await note();
        const uids = Array.from({ length: 60 }, (_, index) => index + 1);
        const open = uids.slice(0, 9).map((uid) => intent(uid + 5_000));
        const dealtWith = uids.map((uid) => verdict(uid));
        await journal.write(...verdicts(id, dealtWith, 400), ...intents(id, open));
        await note();
      }
      running = { file: readFileSync(path), log: readFileSync(`${path}-wal`) };
    }
    return { ...(closed ? { file: readFileSync(path), log: null } : running), history };
  });
}

/** What an earlier version wrote. */
async function recordSchema3(): Promise<Recorded> {
  return inStateDir(async (stateDir) => {
    const path = journalFile(inState(stateDir), source, target);
    writeSchema3(path);
    const file = readFileSync(path);
    await using journal = await openJournal(inState(stateDir), source, target, { inline: true });
    return { file, log: null, history: [settled(await contentOf(journal))] };
  });
}

async function inStateDir<Result>(use: (stateDir: string) => Promise<Result>): Promise<Result> {
  const root = mkdtempSync(join(tmpdir(), 'fuzz-'));
  try {
    const stateDir = join(root, 'state');
    mkdirSync(stateDir, { mode: 0o700 });
    return await use(stateDir);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
