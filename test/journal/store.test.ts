import { describe, expect, it } from 'vitest';
import { createJournal } from '../../src/journal/create.ts';
import { Database } from '../../src/journal/database.ts';
import { firstKeptCommit, keptCommits } from '../../src/journal/schema.ts';
import { Store } from '../../src/journal/store.ts';
import { opened, source, target, useStateDir } from './fixtures.ts';

const dir = useStateDir();

describe('the chain of commits', () => {
  it('is kept short, and stays whole', () => {
    const file = `${dir.path}/journal.db`;
    createJournal(file, source, target);
    let commits = 1;
    for (let run = 0; run < 3; run++) {
      const db = new Database(file, { busyMs: 0 });
      const store = new Store(db, file);
      // Reaching the disk a thousand times is not what this is about.
      db.exec('PRAGMA synchronous = OFF');
      store.commit([{ kind: 'open', folder: opened() }]);
      for (let count = 1; count < keptCommits; count++) store.commit([]);
      commits += keptCommits;
      const [count, first, last] = db.prepare('SELECT count(*), min(id), max(id) FROM commits').get() ?? [];
      expect([first, last]).toEqual([firstKeptCommit(commits), commits]);
      expect(count).toBeLessThanOrEqual(2 * keptCommits);
      expect(count).toBeGreaterThanOrEqual(keptCommits);
      store.close();
      commits++;
    }
    const again = new Store(new Database(file, { busyMs: 0 }), file);
    expect(again.reader.state).toBe('clean');
    again.close();
  });
});
