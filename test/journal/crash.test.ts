import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type JournalPlace, openJournal } from '../../src/journal/index.ts';
import { startChild } from './child.ts';
import { type CompiledJournal, compileJournal } from './compiled.ts';
import { digestOf, inState, messageLines, source, target, useStateDir } from './fixtures.ts';

const dir = useStateDir();
let compiled: CompiledJournal;
beforeAll(() => {
  compiled = compileJournal();
}, 60_000);
afterAll(() => compiled.remove());

const batchSize = 50;

/**
 * Two lanes write batches for ever, and say `i BATCH` when its intents are durable and `v BATCH` when its verdicts are.
 * What is said is in the pipe before the next thing happens.
 */
const writerScript = (place: JournalPlace, from: number) => `
  import { writeSync } from 'node:fs';
  import { openJournal } from '${compiled.url}';
  const journal = await openJournal(${JSON.stringify(place)}, '${source}', '${target}');
  const { id } = await journal.openFolder({
    sourceRawName: 'INBOX', targetName: 'INBOX', sourceUidValidity: 1, targetUidValidity: 2, fence: 1,
  });
  const columnsOf = (uids) => ({
    uids: Uint32Array.from(uids),
    sizes: Float64Array.from(uids),
    digests: Uint8Array.from({ length: uids.length * 32 }, (_, at) => (uids[at >> 5] * 31 + (at & 31) * 7) & 0xff),
    flags: new Uint32Array(uids.length),
    flagSets: [''],
  });
  let next = ${from};
  async function lane() {
    for (;;) {
      const batch = next++;
      const uids = Array.from({ length: ${batchSize} }, (_, index) => batch * ${batchSize} + index + 1);
      const messages = columnsOf(uids);
      const internalDates = uids.map((uid) => uid + '-Jan');
      const fence = { fence: batch, targetUidValidity: 2 };
      await journal.write({ kind: 'intents', folderId: id, ...fence, messages: { ...messages, internalDates } });
      writeSync(1, 'i ' + batch + '\\n');
      const targetUids = messages.uids.map((uid) => uid + 7);
      await journal.write(
        { kind: 'verdicts', folderId: id, verdict: 'copied', fence: batch, messages: { ...messages, targetUids, internalDates } },
      );
      writeSync(1, 'v ' + batch + '\\n');
    }
  }
  await Promise.all([lane(), lane()]);
`;

const uidsOf = (batch: number) => Array.from({ length: batchSize }, (_, index) => batch * batchSize + index + 1);

describe('a process that is killed while it writes', () => {
  // How many confirmations are waited for: early, late, and in the middle of anything.
  const moments = [1, 2, 3, 7, 16, 33, 64, 5, 120, 90];

  it.each(['state', 'tree'] as const)(
    `loses nothing it was told was durable, ${moments.length} times in a row, in a %s`,
    async (kind) => {
      const place = { kind, directory: dir.path };
      const copied = new Set<number>();
      const intended = new Set<number>();
      let nextBatch = 0;
      for (const [round, moment] of moments.entries()) {
        const child = startChild(writerScript(place, nextBatch));
        await child.lines(moment);
        const said = await child.kill();
        expect(said.length).toBeGreaterThanOrEqual(moment);
        for (const line of said) {
          const [kind, batch] = line.split(' ');
          (kind === 'v' ? copied : intended).add(Number(batch));
          nextBatch = Math.max(nextBatch, Number(batch) + 1);
        }

        await using journal = await openJournal(place, source, target, { inline: true });
        expect(journal.state, `round ${round}`).toBe('crash');
        expect(journal.folder('INBOX', 'INBOX')).toMatchObject({ inDoubt: true });
        const messages = new Set(await messageLines(journal, 1));
        const intents = new Map((await journal.intents(1)).map((intent) => [intent.uid, intent]));
        for (const batch of copied) {
          for (const uid of uidsOf(batch))
            expect(messages.has(`${uid} copied ${uid + 7} `), `verdict on ${uid}`).toBe(true);
        }
        for (const batch of intended) {
          const open = uidsOf(batch).filter((uid) => intents.has(uid)).length;
          const known = uidsOf(batch).filter((uid) => messages.has(`${uid} copied ${uid + 7} `)).length;
          // A call is in the journal as a whole or not at all.
          expect([open, known], `batch ${batch}`).toEqual(open > 0 ? [batchSize, 0] : [0, batchSize]);
        }
        // A batch, which is its own fence, may have come to its intents without our being told; then it is one of the next two.
        for (const { uid, fence, digest } of intents.values()) {
          expect(fence).toBeLessThan(nextBatch + 2);
          expect(digest).toEqual(digestOf(uid));
        }
        const unsaid = [...intents.values()].map(({ fence }) => fence ?? 0);
        nextBatch = Math.max(nextBatch, ...unsaid.map((batch) => batch + 1));
        // Its verdict may not have been confirmed either.
        nextBatch += 2;
      }
      expect(copied.size).toBeGreaterThan(50);
    },
    60_000,
  );

  it('while it makes its journal, leaves a whole one or none', async () => {
    for (let round = 0; round < 5; round++) {
      const child = startChild(`
        import { writeSync } from 'node:fs';
        import { openJournal } from '${compiled.url}';
        writeSync(1, 'loaded\\n');
        for (let pair = 0; ; pair++) {
          await openJournal(${JSON.stringify(inState(dir.path))}, '${source}', 'round ${round} pair ' + pair, { inline: true });
          writeSync(1, 'made\\n');
        }
      `);
      await child.lines(2 + round * 3);
      const said = await child.kill();
      const made = said.filter((line) => line === 'made').length;
      for (let pair = 0; pair <= made; pair++) {
        await using journal = await openJournal(inState(dir.path), source, `round ${round} pair ${pair}`, {
          inline: true,
        });
        expect(journal.state).toBe('new');
      }
    }
  }, 30_000);
});
