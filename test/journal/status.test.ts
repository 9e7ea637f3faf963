import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Database } from '../../src/journal/database.ts';
import { journalFile, openJournal } from '../../src/journal/index.ts';
import { readJournalStatus } from '../../src/journal-status.ts';
import { inState, intent, intents, opened, source, target, useStateDir, verdict, verdicts } from './fixtures.ts';

const dir = useStateDir();

async function fill(from: string, to: string): Promise<void> {
  await using journal = await openJournal(inState(dir.path), from, to, { inline: true });
  const status = { messages: 2, uidNext: 3, uidValidity: 1, highestModSeq: null, size: null };
  for (const name of ['INBOX', 'Sent']) {
    const { id } = await journal.openFolder(opened(name));
    await journal.write(
      ...verdicts(id, [verdict(1), verdict(2, { kind: 'adopted', digest: null })]),
      ...intents(id, [intent(3)]),
    );
  }
  await journal.write({ kind: 'finished', folderId: 1, status });
}

describe('the status of journals', () => {
  it('is empty where there is none, and nothing is made', async () => {
    expect(await readJournalStatus(join(dir.path, 'missing'))).toEqual([]);
    expect(await readJournalStatus(dir.path, source, target)).toEqual([]);
  });

  it('counts what every journal knows', async () => {
    await fill(source, target);
    await fill('ben@old.example', 'ben@new.example');
    const statuses = await readJournalStatus(dir.path);
    expect(statuses).toMatchObject([
      { kind: 'readable', source, target, state: 'clean', holder: null, messages: 4, intents: 2, finished: 1 },
      {
        kind: 'readable',
        source: 'ben@old.example',
        target: 'ben@new.example',
        folders: [{ messages: 2 }, { messages: 2 }],
      },
    ]);
    expect(statuses[0]).toMatchObject({
      lastWrite: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      file: journalFile(inState(dir.path), source, target),
    });
    expect(await readJournalStatus(dir.path, 'ben@old.example', 'ben@new.example')).toMatchObject([
      { source: 'ben@old.example' },
    ]);
  });

  it('tells of a damaged journal and goes on to the next', async () => {
    await fill(source, target);
    const broken = join(dir.path, 'a.db');
    writeFileSync(broken, 'no journal');
    mkdirSync(join(dir.path, 'b.db'));
    expect(await readJournalStatus(dir.path)).toMatchObject([
      { kind: 'unreadable', file: broken, exitCode: 9, problem: expect.stringContaining('--rebuild') },
      { kind: 'readable', source },
      { kind: 'unreadable', exitCode: 10 },
    ]);
  });

  it('says that a state directory cannot be read', async () => {
    writeFileSync(join(dir.path, 'file'), '');
    await expect(readJournalStatus(join(dir.path, 'file'))).rejects.toMatchObject({ code: 'STATE', exitCode: 10 });
  });
});

describe('docs/JOURNAL.md', () => {
  const text = readFileSync(join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'docs', 'JOURNAL.md'), 'utf8');
  const queries = [...text.matchAll(/```sql\n([^`]+)```/g)].map(([, query]) => query ?? '');

  it('has three queries or more', () => expect(queries.length).toBeGreaterThanOrEqual(3));

  it.each(queries)('has a query that answers: %s', async (query) => {
    await fill(source, target);
    const db = new Database(journalFile(inState(dir.path), source, target), { busyMs: 0, readOnly: true });
    expect(db.prepare(query).all().length).toBeGreaterThan(0);
    db.close();
  });

  it('has a view of messages with their dates', async () => {
    await using journal = await openJournal(inState(dir.path), source, target, { inline: true });
    const { id } = await journal.openFolder(opened());
    await journal.write(
      ...verdicts(
        id,
        [1, 2].map((uid) => verdict(uid, { internalDate: uid === 1 ? 'then' : null })),
      ),
    );
    await journal.write(...verdicts(id, [verdict(3)]));
    const db = new Database(journal.file, { busyMs: 0, readOnly: true });
    expect(db.prepare('SELECT uid, internal_date FROM message_list').all()).toEqual([
      [1, 'then'],
      [2, null],
      [3, null],
    ]);
    db.close();
  });

  it('tells of every table and column', async () => {
    await fill(source, target);
    const db = new Database(journalFile(inState(dir.path), source, target), { busyMs: 0, readOnly: true });
    const names = db
      .prepare('SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = ?')
      .all('table');
    db.close();
    expect(names.length).toBeGreaterThan(40);
    for (const name of new Set(names.flat())) expect(text).toContain(`\`${name}\``);
  });
});
