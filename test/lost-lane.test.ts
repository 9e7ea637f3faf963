import { describe, expect, it } from 'vitest';
import { Engine, multisets, within } from './support/engine.ts';

describe('a lane that is lost while it lists a folder that others help to copy', () => {
  it('leaves nobody waiting for the rest of the list', async () => {
    // Answers in small pieces: the list is longer than the time the helper takes to open the folder.
    const split = (bytes: Buffer) =>
      Array.from({ length: Math.ceil(bytes.length / 512) }, (_, at) => bytes.subarray(at * 512, at * 512 + 512));
    using engine = new Engine({ target: { disable: ['MULTIAPPEND'] }, split, settleMs: 4 });
    for (let n = 1; n <= 4_500; n++) {
      const body = `Message-ID: <${n}@x>\r\nSubject: ${n}\r\n\r\nbody ${n}\r\n`;
      engine.source.inbox.append({ body, internalDate: '01-Feb-2020 10:00:00 +0200' });
    }
    const list = { command: 'FETCH', nth: 2 };
    const cut = engine.servers.source.faults.add(list, { kind: 'cut', at: { answerOctets: 30_000 } });
    const { report } = await within(15_000, engine.run({ connections: 2, order: 'any' }));
    expect(cut.fired).toBe(1);
    expect(report).toMatchObject({ exitCode: 0, verdict: 'complete', copied: 4_500 });
    expect(multisets(engine.target)).toEqual(multisets(engine.source));
  });
});
