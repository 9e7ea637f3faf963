import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Journal, journalFile, openJournal, peekJournal } from '../../../src/journal/index.ts';
import { contentOf, intent, intents, opened, source, target, verdict, verdicts } from '../../journal/fixtures.ts';
import { writeSchema2 } from '../../journal/schema-2.ts';
import { codeOf, type FuzzTarget } from '../target.ts';

/** What a run leaves: the file, and beside it the log of a run that was not ended. */
interface Files {
  readonly file: Buffer;
  readonly log: Buffer | null;
}

/** A journal of a closed run, and the log of one that was cut off: refused, or opened, written and opened again. */
export async function journalTargets(): Promise<FuzzTarget[]> {
  const closed = await recordFiles(true);
  const running = await recordFiles(false);
  const logs = running.log === null ? [] : [running.log];
  const words = ['SQLite format 3\0', 'INBOX', 'copied', 'closed', '\\Seen', '\0\0\0\0', '\xff\xff\xff\xff', '\0'];
  return [
    {
      name: 'journal',
      corpus: [closed.file, running.file, await recordSchema2()],
      words,
      check: (file) => checkFiles({ file, log: null }),
    },
    { name: 'journal-log', corpus: logs, words, check: (log) => checkFiles({ file: running.file, log }) },
  ];
}

async function checkFiles({ file, log }: Files): Promise<void> {
  await inStateDir(async (stateDir) => {
    const path = journalFile(stateDir, source, target);
    writeFileSync(path, file);
    if (log !== null) writeFileSync(`${path}-wal`, log);
    if (!(await survives(() => peekJournal(stateDir, source, target, { inline: true })))) return;
    const uid = 4_000_000;
    await survives(
      () => openJournal(stateDir, source, target, { inline: true }),
      async (journal) => {
        const { id } = await journal.openFolder(opened('INBOX'));
        await journal.write(...verdicts(id, [verdict(uid)]));
      },
    );
    const again = await openJournal(stateDir, source, target, { inline: true });
    await using _ = again;
    const folder = again.folder('INBOX', 'INBOX');
    const { uids } = await again.messages(folder?.id ?? -1);
    if (!uids.includes(uid)) throw new Error('what was written to a repaired journal is not in it');
  });
}

/** Opens, reads and perhaps writes; false where the journal was refused with an error of ours. */
async function survives(
  open: () => Promise<Journal | null>,
  use: (journal: Journal) => Promise<void> = async () => {},
): Promise<boolean> {
  try {
    const journal = await open();
    if (journal === null) return true;
    await using _ = journal;
    await contentOf(journal);
    await use(journal);
    return true;
  } catch (error) {
    codeOf(error);
    return false;
  }
}

async function recordFiles(closed: boolean): Promise<Files> {
  return inStateDir(async (stateDir) => {
    const path = journalFile(stateDir, source, target);
    let running: Files | null = null;
    {
      await using journal = await openJournal(stateDir, source, target, { inline: true });
      for (const name of ['INBOX', 'Archive']) {
        const { id } = await journal.openFolder(opened(name));
        const uids = Array.from({ length: 60 }, (_, index) => index + 1);
        const open = uids.slice(0, 9).map((uid) => intent(uid + 5_000));
        const dealtWith = uids.map((uid) => verdict(uid));
        await journal.write(...verdicts(id, dealtWith, 400), ...intents(id, open));
      }
      running = { file: readFileSync(path), log: readFileSync(`${path}-wal`) };
    }
    return closed ? { file: readFileSync(path), log: null } : running;
  });
}

/** What an earlier version wrote. */
async function recordSchema2(): Promise<Buffer> {
  return inStateDir(async (stateDir) => {
    const path = journalFile(stateDir, source, target);
    writeSchema2(path);
    return readFileSync(path);
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
