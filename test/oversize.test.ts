/** Messages that are streamed: too big to be held, from the source's literal straight into the target's. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type JournalRecord, openJournal } from '../src/journal/index.ts';
import type { NewMessage, SandboxOptions } from '../src/sandbox/index.ts';
import { contents, Engine, type EngineOptions, multisets } from './support/engine.ts';

const oversizeBytes = 4_000;

const header = (n: number) =>
  `Message-ID: <${n}@x>\r\nDate: Sat, 01 Feb 2020 10:00:00 +0200\r\nSubject: number ${n}\r\n\r\n`;
const message = (n: number, size: number, more: Partial<NewMessage> = {}): NewMessage => ({
  body: `${header(n)}${`${n} and so on, line after line\r\n`.repeat(Math.ceil(size / 32))}`,
  internalDate: '01-Feb-2020 10:00:00 +0200',
  ...more,
});
const small = (n: number) => message(n, 300);
const big = (n: number, more: Partial<NewMessage> = {}) => message(n, 40_000, more);

function openEngine(options: EngineOptions = {}): Engine {
  return new Engine({ oversizeBytes, ...options });
}

const targets: readonly [name: string, options: SandboxOptions][] = [
  ['takes batches', {}],
  ['takes one message after the other', { disable: ['MULTIAPPEND'] }],
  ['waits for each literal', { disable: ['MULTIAPPEND', 'LITERAL+', 'LITERAL-'] }],
  ['tells no UIDs', { disable: ['UIDPLUS'] }],
];

describe.each(targets)('a target that %s', (_name, target) => {
  it('gets big and small messages in the order of the source, with flags and dates', async () => {
    using engine = openEngine({ target });
    const { inbox } = engine.source;
    for (const it of [big(1, { flags: ['\\Seen', 'Kept'] }), small(2), small(3), big(4), big(5), small(6)])
      inbox.append(it);
    const { report } = await engine.run({ connections: 1, order: 'source' });
    expect(report).toMatchObject({ verdict: 'complete', copied: 6 });
    expect(contents(engine.target)).toEqual(contents(engine.source));
    expect(await engine.verify()).toMatchObject({ verdict: 'identical', compared: 6 });
    expect((await engine.run()).report).toMatchObject({ verdict: 'complete', copied: 0, alreadyThere: 6 });
  });

  it('holds nothing of a message whose source breaks off, and gets it from the next lane without any doubt', async () => {
    // Whoever were in doubt would have to wait for an hour.
    using engine = openEngine({ target, settleMs: 3_600_000 });
    for (const it of [small(1), big(2), big(3)]) engine.source.inbox.append(it);
    engine.servers.source.faults.add({ direction: 'out', bytes: 45_000 }, { kind: 'cut' });
    const { report } = await engine.run({ connections: 1 });
    expect(report).toMatchObject({ verdict: 'complete', copied: 3 });
    expect(report.warnings).toEqual([expect.stringMatching(/begun again after a lost connection: source/)]);
    expect(multisets(engine.target)).toEqual(multisets(engine.source));
  });
});

it('is known to the journal without a digest before it is sent, and with one when it is there', async () => {
  using engine = openEngine();
  const { body } = big(1);
  engine.source.inbox.append(big(1));
  const written: [kind: string, digest: string | null, size: number | undefined][] = [];
  const openWatched: typeof openJournal = async (...settings) => {
    const journal = await openJournal(...settings);
    const write = journal.write.bind(journal);
    return Object.assign(journal, {
      write: (...records: JournalRecord[]) => {
        for (const record of records) {
          if (record.kind !== 'intents' && record.kind !== 'verdicts') continue;
          const { digests, sizes } = record.messages;
          written.push([record.kind, digests && Buffer.from(digests).toString('hex'), sizes?.[0]]);
        }
        return write(...records);
      },
    });
  };
  expect((await engine.run({}, { openJournal: openWatched })).report.verdict).toBe('complete');
  const digest = createHash('sha256').update(body).digest('hex');
  expect(written).toEqual([
    ['intents', null, body.length],
    ['verdicts', digest, body.length],
  ]);
});

describe('a big message', () => {
  it('that is bigger, or smaller, than the source announces is copied as it is', async () => {
    using engine = openEngine();
    for (const it of [big(1), big(2), small(3), big(4)]) engine.source.inbox.append(it);
    const sizes = [5_000, 900_000, 5_000, 10];
    for (const [index, stored] of engine.source.inbox.messages.entries()) stored.reportedSize = sizes[index] ?? null;
    const { report } = await engine.run();
    const bytes = engine.source.inbox.messages.reduce((sum, { body }) => sum + body.length, 0);
    expect(report).toMatchObject({ verdict: 'complete', copied: 4, bytes });
    expect(contents(engine.target)).toEqual(contents(engine.source));
  });

  it('that was announced as a small one is not held, but asked for once more', async () => {
    using engine = openEngine();
    for (const it of [small(1), message(2, 40 * 1024 * 1024), small(3)]) engine.source.inbox.append(it);
    for (const stored of engine.source.inbox.messages) stored.reportedSize = 300;
    const { report } = await engine.run({ connections: 1 });
    expect(report).toMatchObject({ verdict: 'complete', copied: 3 });
    expect(multisets(engine.target)).toEqual(multisets(engine.source));
    const bodies = engine.commands('source').filter((name) => name === 'UID FETCH');
    // The list, the batch, then the big one's description and its body.
    expect(bodies).toHaveLength(4);
  });

  it('that is refused is named by its subject, and the rest is copied', async () => {
    using engine = openEngine();
    for (const it of [big(1), big(2), small(3)]) engine.source.inbox.append(it);
    const refusal = { status: 'NO', text: '[TOOBIG] not here' } as const;
    engine.servers.target.faults.add({ command: 'APPEND', nth: 2 }, { kind: 'answer', answer: refusal });
    const { report } = await engine.run({ connections: 1 });
    expect(report).toMatchObject({ verdict: 'partial', copied: 2, refused: 1 });
    expect(report.folders[0]?.refused).toMatchObject([{ uid: 2, subject: 'number 2', code: 'TOOBIG' }]);
    expect((await engine.run()).report).toMatchObject({ verdict: 'complete', copied: 1 });
    expect(multisets(engine.target)).toEqual(multisets(engine.source));
  });

  it('ends the account where that is full', async () => {
    using engine = openEngine();
    for (const it of [big(1), big(2)]) engine.source.inbox.append(it);
    const refusal = { status: 'NO', text: '[OVERQUOTA] full' } as const;
    engine.servers.target.faults.add({ command: 'APPEND', nth: 2 }, { kind: 'answer', answer: refusal });
    expect((await engine.run()).report).toMatchObject({ verdict: 'failed', exitCode: 6, copied: 1 });
    expect((await engine.run()).report).toMatchObject({ verdict: 'complete', copied: 1 });
    expect(contents(engine.target)).toEqual(contents(engine.source));
  });

  it('is sent again where the folder had to be made first', async () => {
    using engine = openEngine();
    engine.source.createMailbox('Work').append(big(1));
    const refusal = { status: 'NO', text: '[TRYCREATE] make it' } as const;
    engine.servers.target.faults.add({ command: 'APPEND' }, { kind: 'answer', answer: refusal });
    expect((await engine.run()).report).toMatchObject({ verdict: 'complete', copied: 1, resent: 1 });
    expect(contents(engine.target)).toEqual(contents(engine.source));
  });

  it.each([
    ['has gone', 'before', { gone: 1, refused: 0, verdict: 'complete' }],
    ['is not to be had', null, { gone: 0, refused: 1, verdict: 'partial' }],
  ] as const)('that %s when its body is asked for is told so', async (_name, at, expected) => {
    using engine = openEngine();
    const { inbox } = engine.source;
    for (const it of [small(1), big(2), big(3)]) inbox.append(it);
    const second = inbox.messages.filter(({ uid }) => uid === 2);
    const isBody = (line: string) => line.includes('UID FETCH 2 (UID BODY');
    if (at === null) for (const stored of second) stored.quirk = 'nil';
    else {
      const run = () => inbox.expunge(second);
      engine.servers.source.faults.add({ command: 'UID FETCH', matches: isBody }, { kind: 'run', run, at });
    }
    const { report } = await engine.run({ connections: 1 });
    expect(report).toMatchObject({ ...expected, copied: 2 });
    expect(engine.target.inbox.messages).toHaveLength(2);
    expect((await engine.run()).report).toMatchObject({ copied: 0, alreadyThere: 2 });
  });

  it('whose answer is lost is found at the target by its content', async () => {
    using engine = openEngine();
    for (const it of [big(1), big(1), big(2)]) engine.source.inbox.append(it);
    engine.servers.target.faults.add({ command: 'APPEND', nth: 2 }, { kind: 'cut', at: 'after' });
    const { report } = await engine.run({ connections: 1 });
    expect(report).toMatchObject({ verdict: 'complete', copied: 2, alreadyThere: 1 });
    expect(multisets(engine.target)).toEqual(multisets(engine.source));
  });

  it('with bare line ends and without a last one is the same on both sides', async () => {
    using engine = openEngine();
    engine.source.inbox.append({ body: `${header(1)}${'bare\nlines\rof all kinds\r\n'.repeat(2_000)}and no end` });
    engine.target.inbox.append({
      body: `${header(1)}${'bare\r\nlines\r\nof all kinds\r\n'.repeat(2_000)}and no end\r\n`,
    });
    const { differences } = await engine.verify();
    expect(differences.filter(({ kind }) => kind !== 'date')).toEqual([]);
  });
});

describe('a stop in the middle of a big message', () => {
  it('leaves it away, and the next run copies it without any doubt', async () => {
    using engine = openEngine({ settleMs: 3_600_000 });
    for (const it of [small(1), message(2, 6 * 1024 * 1024)]) engine.source.inbox.append(it);
    const controller = new AbortController();
    const { faults } = engine.servers.source;
    const isBody = (line: string) => line.includes('BODY.PEEK[])') && line.includes('FETCH 2 ');
    const pause = faults.add(
      { command: 'UID FETCH', matches: isBody },
      { kind: 'stall', at: { answerOctets: 1_000_000 } },
    );
    const stop = async () => {
      controller.abort();
      // The lane hears of it before the rest of the message comes.
      for (let turns = 0; turns < 5; turns++) await new Promise(setImmediate);
      pause.release();
    };
    engine.servers.target.faults.add(
      { command: 'APPEND', nth: 2 },
      { kind: 'run', run: () => void stop(), at: { literal: 1, octets: 10_000 } },
    );
    const { report } = await engine.run({ connections: 1 }, { signal: controller.signal });
    expect(report).toMatchObject({ verdict: 'stopped', copied: 1 });
    expect(engine.target.inbox.messages).toHaveLength(1);
    expect((await engine.run()).report).toMatchObject({ verdict: 'complete', copied: 1, alreadyThere: 1 });
    expect(contents(engine.target)).toEqual(contents(engine.source));
  });
});
