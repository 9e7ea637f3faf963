/**
 * `npm run test:faults [-- ARGS]`: every test of what may go wrong, with nothing left out: a connection cut at each byte, each
 * command of a run struck, 200 plans of chance for the real command (`SEED=n` says which). ARGS go to vitest. The last line
 * printed is that of `npm test`.
 */
const unit = [
  'every-byte',
  'interruption',
  'recovery',
  'settle',
  'doubt',
  'crash',
  'lies',
  'moving-account',
  'chatter',
  'backup/crash',
];
const live = [
  'random-faults',
  'cut',
  'withheld',
  'kill',
  'kill-backup',
  'crash',
  'thread',
  'signals',
  'journal',
  'trouble',
];
const files = [...unit, 'local-trouble', 'journal/disk', ...live.map((name) => `live/${name}`)];

process.env.FAULTS = 'all';
process.env.EVERY_BYTE ??= '1';
process.env.PLANS ??= '200';
process.argv.splice(2, 0, ...files.map((name) => `test/${name}.test.ts`));
await import('./test.mjs');
