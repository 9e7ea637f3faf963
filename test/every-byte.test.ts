/**
 * A connection cut at every single byte of a small job. `npm test` cuts at each byte on one of the kinds of target and goes
 * round over them; `EVERY_BYTE=1 npx vitest run --project unit test/every-byte.test.ts` cuts at each byte on each kind.
 */
import { describe, expect, it } from 'vitest';
import type { NewMessage, SandboxOptions } from '../src/sandbox/index.ts';
import { Engine, multisets, needless, within } from './support/engine.ts';

/** About 100 bytes. */
const message = (n: number, flags: readonly string[] = []): NewMessage => ({
  body: `Message-ID: <${n}@x>\r\nDate: Sat, 01 Feb 2020 10:00:00 +0200\r\nSubject: ${n}\r\n\r\nbody ${n}\r\n`,
  internalDate: '01-Feb-2020 10:00:00 +0200',
  flags,
});

const targets = [['UIDPLUS'], []].flatMap((uidPlus) =>
  [['LITERAL+'], []].flatMap((literalPlus) =>
    [false, true].map((commitAtLastOctet) => ({ features: [...uidPlus, ...literalPlus], commitAtLastOctet })),
  ),
);
const stride = process.env.EVERY_BYTE === undefined ? targets.length : 1;

/** Each of the messages is streamed: alone in its batch, from literal to literal. */
const streamed = 30;

/** Time that one run of three messages may take, with a machine that has other things to do. */
const patienceMs = 15_000;

interface Cut {
  readonly side: 'source' | 'target';
  readonly direction: 'in' | 'out';
  readonly bytes: number;
}

/**
 * Runs a job whose connection is cut. A job that had begun goes on by itself; one that could not begin is run once more.
 * False: it never came to that byte.
 */
async function survives(cut: Cut, target: SandboxOptions, oversizeBytes?: number): Promise<boolean> {
  const oversize = oversizeBytes === undefined ? {} : { oversizeBytes };
  using engine = new Engine({ source: { disable: needless }, target, settleMs: 4, ...oversize });
  for (const it of [message(1), message(2), message(1), message(1, ['\\Seen'])]) engine.source.inbox.append(it);
  const { side, direction, bytes } = cut;
  const fault = engine.servers[side].faults.add({ direction, bytes }, { kind: 'cut' });
  const run = () => within(patienceMs, engine.run({ connections: 1 }));
  const { report } = await run().catch((error: unknown) => {
    expect({ ...cut, error }).toEqual({ ...cut, error: expect.objectContaining({ exitCode: 4 }) });
    return run();
  });
  const { exitCode, verdict, refused, copied, alreadyThere } = report;
  expect({ ...cut, exitCode, verdict, refused, dealtWith: copied + alreadyThere, warnings: report.warnings }).toEqual({
    ...cut,
    exitCode: 0,
    verdict: 'complete',
    refused: 0,
    dealtWith: 4,
    warnings: expect.any(Array),
  });
  expect({ ...cut, ...multisets(engine.target) }).toEqual({ ...cut, ...multisets(engine.source) });
  return fault.fired > 0;
}

describe.each(['target', 'source'] as const)('the connection to the %s', (side) => {
  describe.each(['in', 'out'] as const)('cut at every byte of its %s', (direction) => {
    it.each(targets.map((target, index) => ({ ...target, index })))(
      'costs neither a message nor a double: target with $features, at the last octet $commitAtLastOctet',
      async ({ features, commitAtLastOctet, index }) => {
        const without = ['UIDPLUS', 'LITERAL+'].filter((feature) => !features.includes(feature));
        const target = { disable: [...needless, ...without], commitAtLastOctet };
        let bytes = 1 + (index % stride);
        while (await survives({ side, direction, bytes }, target)) bytes += stride;
        // The greeting, the login, the list and the copy: it was no session that ended early.
        expect(bytes).toBeGreaterThan(250);
      },
      stride === 1 ? 600_000 : 60_000,
    );

    it.each(targets.map((target, index) => ({ ...target, index })))(
      'costs neither a message nor a double where messages are streamed: target with $features, at the last octet $commitAtLastOctet',
      async ({ features, commitAtLastOctet, index }) => {
        const without = ['UIDPLUS', 'LITERAL+'].filter((feature) => !features.includes(feature));
        const target = { disable: [...needless, ...without], commitAtLastOctet };
        let bytes = 1 + (index % stride);
        while (await survives({ side, direction, bytes }, target, streamed)) bytes += stride;
        expect(bytes).toBeGreaterThan(250);
      },
      stride === 1 ? 600_000 : 60_000,
    );
  });
});
