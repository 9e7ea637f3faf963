import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { crc32 } from 'node:zlib';
import { watchRejections } from './attempt.ts';
import { Campaign, type Failure } from './campaign.ts';
import { Memory } from './memory.ts';
import { fuzzTargets } from './targets/index.ts';
import { Watchdog } from './watchdog.ts';

/** `npm run fuzz`: every target in turns until the time is up or one fails. */

/** One turn of one target. */
const turnMs = 500;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { minutes: { type: 'string' }, seed: { type: 'string' }, only: { type: 'string', multiple: true } },
  });
  const minutes = numberOf('--minutes', values.minutes ?? '1');
  const seed = values.seed === undefined ? Date.now() >>> 0 : numberOf('--seed', values.seed);
  process.stdout.write(`fuzz: --seed ${seed}, ${minutes} min\n`);
  const targets = await fuzzTargets();
  const wanted = values.only ?? targets.map(({ name }) => name);
  for (const name of wanted) {
    const names = targets.map((target) => target.name);
    if (!names.includes(name)) throw new RangeError(`there is no target '${name}'; there are: ${names.join(', ')}`);
  }
  const campaigns = targets.filter(({ name }) => wanted.includes(name)).map((target) => new Campaign(target, seed));
  return await run(campaigns, { minutes, seed });
}

async function run(campaigns: readonly Campaign[], settings: { minutes: number; seed: number }): Promise<number> {
  watchRejections();
  const watchdog = new Watchdog(settings.seed);
  const memory = new Memory();
  const deadline = performance.now() + settings.minutes * 60_000;
  let failed = 0;
  const running = new Set(campaigns);
  while (performance.now() < deadline && running.size > 0) {
    for (const campaign of running) {
      const end = Math.min(deadline, performance.now() + turnMs);
      let failure: Failure | null = null;
      while (failure === null && performance.now() < end) {
        failure = await campaign.step((input, iteration) => watchdog.watch(campaign.target.name, iteration, input));
      }
      memory.note(campaign.target.name);
      if (failure === null) continue;
      failed++;
      // A target that has failed would mostly fail in the same way again.
      running.delete(campaign);
      report(failure);
    }
    memory.note(null);
  }
  await watchdog.stop();
  for (const { target, iterations } of campaigns) process.stdout.write(`${target.name.padEnd(26)}${iterations}\n`);
  const growth = memory.report();
  process.stdout.write(`${growth.line}\n`);
  return failed > 0 || growth.tooMuch ? 1 : 0;
}

function report({ target, seed, iteration, input, error }: Failure): void {
  const folder = join('test', 'fuzz', 'failures');
  const file = join(folder, `${target}.${(crc32(input) >>> 0).toString(16)}.bin`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, input);
  const cause =
    error.cause === undefined
      ? ''
      : `\ncaused by ${error.cause instanceof Error ? error.cause.stack : String(error.cause)}`;
  process.stdout.write(`\nFAILED ${target}, --seed ${seed}, iteration ${iteration}: ${error.stack}${cause}\n`);
  process.stdout.write(`input, also in ${file}: ${JSON.stringify(input.toString('latin1', 0, 2000))}\n\n`);
}

function numberOf(option: string, text: string): number {
  const number = Number(text);
  if (!Number.isFinite(number) || number < 0) throw new RangeError(`${option} takes a number, not '${text}'`);
  return number;
}

// Until it is known that all went well it did not, whatever it is that ends the process early.
process.exitCode = 1;
process.exitCode = await main().catch((error: unknown) => {
  process.stdout.write(`FAILED ${error instanceof Error ? error.stack : String(error)}\n`);
  return 1;
});
