import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { journalFile, openJournal, peekJournal } from '../../src/journal/index.ts';
import { readJournalStatus } from '../../src/journal-status.ts';
import { type Child, startChild } from './child.ts';
import { type CompiledJournal, compileJournal } from './compiled.ts';
import { inState, source, target, useStateDir } from './fixtures.ts';

const dir = useStateDir();
let compiled: CompiledJournal;
beforeAll(() => {
  compiled = compileJournal();
}, 60_000);
afterAll(() => compiled.remove());

const inline = { inline: true };
const other = 'ben@old.example:993';

/** Another process that holds the journal until it is killed. */
async function startHolder(from = source, to = target): Promise<Child> {
  const child = startChild(`
    import { writeSync } from 'node:fs';
    import { openJournal } from '${compiled.url}';
    const journal = await openJournal(${JSON.stringify(inState(dir.path))}, '${from}', '${to}');
    await journal.openFolder({
      sourceRawName: 'INBOX', targetName: 'INBOX', sourceUidValidity: 1, targetUidValidity: 2, fence: 1,
    });
    writeSync(1, 'held\\n');
    setInterval(() => {}, 1000);
  `);
  expect(await child.lines(1)).toEqual(['held']);
  return child;
}

describe('the lock', () => {
  it('refuses a second process, names the first and says what to do; a killed one leaves no lock', async () => {
    const holder = await startHolder();
    try {
      await expect(openJournal(inState(dir.path), source, target, inline)).rejects.toMatchObject({
        code: 'LOCKED',
        exitCode: 8,
        message: expect.stringMatching(
          new RegExp(
            `^process ${holder.pid}, since 2.*Z, is at work on ${source} -> ${target}: wait .* "kill ${holder.pid}"$`,
          ),
        ),
      });
    } finally {
      await holder.kill();
    }
    await using journal = await openJournal(inState(dir.path), source, target, inline);
    expect(journal.state).toBe('crash');
  });

  it('refuses another source for the same target, and lets other targets be', async () => {
    const holder = await startHolder(other);
    try {
      await expect(openJournal(inState(dir.path), source, target, inline)).rejects.toMatchObject({
        exitCode: 8,
        message: expect.stringContaining(`process ${holder.pid}`),
      });
      await expect(openJournal(inState(dir.path), source, target, inline)).rejects.toThrow(
        `${other} to the same target`,
      );
      await using journal = await openJournal(inState(dir.path), other, 'third@new.example', inline);
      expect(journal.state).toBe('new');
    } finally {
      await holder.kill();
    }
  });

  it('holds within one process too', async () => {
    const journal = await openJournal(inState(dir.path), source, target, inline);
    await expect(openJournal(inState(dir.path), source, target, inline)).rejects.toMatchObject({ exitCode: 8 });
    await expect(openJournal(inState(dir.path), other, target, inline)).rejects.toMatchObject({ exitCode: 8 });
    await journal[Symbol.asyncDispose]();
    await using again = await openJournal(inState(dir.path), other, target, inline);
    expect(again.state).toBe('new');
  });

  it('is let go of when the journal turns out to be damaged', async () => {
    writeFileSync(journalFile(inState(dir.path), source, target), 'no journal');
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(openJournal(inState(dir.path), source, target, inline)).rejects.toMatchObject({ exitCode: 9 });
    }
    await using journal = await openJournal(inState(dir.path), other, target, inline);
    expect(journal.state).toBe('new');
  });

  it('says in a readable file who holds it, as long as somebody does', async () => {
    const files = () => readdirSync(dir.path).filter((name) => name.endsWith('.pid'));
    {
      await using journal = await openJournal(inState(dir.path), source, target, inline);
      expect(journal.state).toBe('new');
      const [name = ''] = files();
      expect(readFileSync(join(dir.path, name), 'utf8')).toMatch(
        new RegExp(`^pid ${process.pid}\nsince .*\nsource ${source}\ntarget ${target}\n$`),
      );
      expect(statSync(join(dir.path, name)).mode & 0o777).toBe(0o600);
    }
    expect(files()).toEqual([]);
  });

  it('does not hinder a look at the journal, nor the look the run', async () => {
    const holder = await startHolder();
    try {
      await using peeked = await peekJournal(inState(dir.path), source, target, inline);
      expect(peeked?.folders()).toHaveLength(1);
      expect(await readJournalStatus(dir.path)).toMatchObject([{ state: 'running', holder: { pid: holder.pid } }]);
      expect(await readJournalStatus(dir.path, source, target)).toMatchObject([{ state: 'running' }]);
    } finally {
      await holder.kill();
    }
    expect(await readJournalStatus(dir.path)).toMatchObject([{ state: 'crash', holder: null }]);
  });
});
