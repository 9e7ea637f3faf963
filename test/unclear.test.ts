import { describe, expect, it } from 'vitest';
import type { NewMessage } from '../src/sandbox/index.ts';
import { Engine, multisets } from './support/engine.ts';

/** Twins in all that headers tell: their bodies have to be read. */
const message = (n: number, id = n): NewMessage => ({
  body: `Message-ID: <${id}@x>\r\nSubject: ${id}\r\n\r\nbody ${n}\r\n`,
  internalDate: '01-Feb-2020 10:00:00 +0200',
});
const refusal = { kind: 'answer', answer: { status: 'NO', text: '[CONTACTADMIN] cannot read' } } as const;

describe('a message at the target that is not given out, and that may be a copy already', () => {
  it.each([
    ['header and body', (_line: string) => true, 3],
    ['the body', (line: string) => line.includes('BODY.PEEK[])'), 2],
  ])('makes nothing twice: %s', async (_, matches, unclear) => {
    using engine = new Engine();
    for (const it of [message(1, 7), message(2, 7), message(3)]) {
      engine.source.inbox.append(it);
      engine.target.inbox.append(it);
    }
    const times = Number.POSITIVE_INFINITY;
    const fault = engine.servers.target.faults.add({ command: 'UID FETCH', matches, times }, refusal);
    const { report } = await engine.run();
    expect(report).toMatchObject({ exitCode: 3, verdict: 'partial', copied: 0, alreadyThere: 3 - unclear });
    const refused = report.folders.flatMap((folder) => folder.refused.map(({ uid, code }) => [uid, code]));
    expect(refused).toEqual([1, 2, 3].slice(0, unclear).map((uid) => [uid, 'UNCLEAR']));
    engine.source.inbox.append(message(4));
    await engine.run();
    fault.disarm();
    expect((await engine.run()).report).toMatchObject({ exitCode: 0, alreadyThere: expect.any(Number) });
    expect(multisets(engine.target)).toEqual(multisets(engine.source));
    expect((await engine.run()).report).toMatchObject({ exitCode: 0, copied: 0 });
  });

  it('stays an open question where its answer was lost, and the others are copied', async () => {
    using engine = new Engine({ target: { disable: ['MULTIAPPEND'] } });
    for (let n = 1; n <= 3; n++) engine.source.inbox.append(message(n));
    engine.servers.target.faults.add({ command: 'APPEND', nth: 2 }, { kind: 'cut', at: 'after' });
    const matches = (line: string) => line.includes('BODY.PEEK[');
    const times = Number.POSITIVE_INFINITY;
    const fault = engine.servers.target.faults.add({ command: 'UID FETCH', matches, times }, refusal);
    await engine.run({ connections: 1 });
    fault.disarm();
    expect((await engine.run({ connections: 1 })).report).toMatchObject({ exitCode: 0, verdict: 'complete' });
    expect(multisets(engine.target)).toEqual(multisets(engine.source));
  });
});

describe('a message of the source that is not given out when the target is looked at', () => {
  it('is not copied before it is known whether it is there', async () => {
    using engine = new Engine();
    for (const account of [engine.source, engine.target]) account.inbox.append(message(1));
    engine.target.inbox.append(message(99));
    engine.servers.source.faults.add({ command: 'UID FETCH', times: 9 }, refusal);
    const { report } = await engine.run();
    expect(report.copied).toBe(0);
    expect((await engine.run()).report.copied).toBe(0);
    expect((await engine.run()).report).toMatchObject({ exitCode: 0, copied: 0, alreadyThere: 1 });
    expect(engine.target.inbox.messages).toHaveLength(2);
  });
});
