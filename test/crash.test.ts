import { rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { NewMessage, SandboxAccount } from '../src/sandbox/index.ts';
import { type CrashPoint, runUntilCrash } from './support/crash.ts';
import { contents, Engine } from './support/engine.ts';

const message = (n: number, more: Partial<NewMessage> = {}): NewMessage => ({
  body: `Message-ID: <${n}@x>\r\nDate: Sat, 01 Feb 2020 10:00:00 +0200\r\nSubject: ${n}\r\n\r\nbody ${n}\r\n`,
  internalDate: '01-Feb-2020 10:00:00 +0200',
  ...more,
});

/** Three batches with twins inside and across them, some with other flags, and messages without any header. */
function fill(account: SandboxAccount): void {
  for (let n = 1; n <= 205; n++) account.inbox.append(message(n));
  for (let n = 1; n <= 3; n++) account.inbox.append(message(7, { flags: n === 2 ? ['\\Seen'] : [] }));
  for (let n = 1; n <= 2; n++)
    account.inbox.append({ body: 'no header\r\n', internalDate: '01-Feb-2021 10:00:00 +0000' });
  account.createMailbox(['Other']).append(message(7));
}

function multisets(account: SandboxAccount): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(contents(account)).map(([path, rows]) => [path, rows.map((row) => JSON.stringify(row)).sort()]),
  );
}

const features = ['MULTIAPPEND', 'UIDPLUS', 'LITERAL+'] as const;
const targets = Array.from({ length: 1 << features.length }, (_, bits) => {
  const disable = features.filter((_name, index) => (bits & (1 << index)) !== 0);
  return [disable.length === 0 ? 'everything' : `no ${disable.join(', no ')}`, disable] as const;
});

const moments: readonly [point: CrashPoint, occurrences: readonly number[]][] = [
  ['before intent', [1, 2]],
  ['after intent', [1, 2]],
  ['mid literal', [1, 2]],
  ['after the last octet', [1, 2]],
  ['after the final CRLF', [1, 3]],
  ['before the outcome is durable', [1, 2]],
  ['mid commit', [1, 2, 3, 4, 5]],
];

/** An ordinary run on what the dead one left. */
async function expectHealed(engine: Engine, stateDir: string): Promise<void> {
  const { report } = await engine.run({ stateDir });
  expect(report).toMatchObject({ exitCode: 0, verdict: 'complete' });
  expect(multisets(engine.target)).toEqual(multisets(engine.source));
  engine.commands('target');
  expect((await engine.run({ stateDir })).report).toMatchObject({ exitCode: 0, copied: 0 });
  expect(engine.commands('target')).not.toContain('APPEND');
  rmSync(stateDir, { recursive: true });
}

describe.each(targets)('a run that dies, at a target with %s,', (_, disable) => {
  it.each(moments)('%s, is completed by the next: nothing lost, nothing twice', async (point, occurrences) => {
    for (const nth of occurrences) {
      using engine = new Engine({ target: { disable: [...disable] } });
      fill(engine.source);
      const { stateDir, happened } = await runUntilCrash(engine, point, nth);
      expect(happened, `occurrence ${nth}`).toBe(true);
      await expectHealed(engine, stateDir);
    }
  });

  it.each(['in recovery, before its verdicts', 'in recovery, after its verdicts', 'mid commit'] as const)(
    'and again %s, is completed by the third',
    async (point) => {
      for (const first of ['after the final CRLF', 'after intent'] as const) {
        using engine = new Engine({ target: { disable: [...disable] } });
        fill(engine.source);
        const before = await runUntilCrash(engine, first, 2);
        const { stateDir } = await runUntilCrash(engine, point, 1, { stateDir: before.stateDir });
        await expectHealed(engine, stateDir);
        rmSync(before.stateDir, { recursive: true });
      }
    },
  );

  it.each(['in recovery, before its verdicts', 'in recovery, after its verdicts', 'mid commit'] as const)(
    'and adopts what was there, %s, is completed by the next',
    async (point) => {
      using engine = new Engine({ target: { disable: [...disable] } });
      fill(engine.source);
      for (let n = 3; n <= 90; n++) engine.target.inbox.append(message(n));
      engine.target.inbox.append(message(7));
      const { stateDir, happened } = await runUntilCrash(engine, point, 1);
      expect(happened).toBe(true);
      await expectHealed(engine, stateDir);
    },
  );
});
