/**
 * The built command beside bare copy loops (`floor.c`, `floor.ts`) and beside other tools, between two private Dovecots
 * whose mail is in memory.
 *
 * Options: `--only small,rtt0` (cells whose names hold every word), `--runs N` of each contender, `--imapsync PATH`.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { dumpAccount } from '../test/support/compare.ts';
import { accessTo, prepareMbsync, startDovecot } from '../test/support/servers/index.ts';
import { compileCPrograms } from './support/c-programs.ts';
import { measureCell } from './support/cell.ts';
import { cFloor, imapflowLoop, imapsync, mbsync, nodeFloor, ours } from './support/contender.ts';
import { entryRows, formatColumns } from './support/entry-table.ts';
import { loadMail, mails } from './support/mail.ts';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    runs: { type: 'string', default: '5' },
    imapsync: { type: 'string' },
  },
});

/** A file system in memory, where there is one: the servers' disks shall not be measured. */
if (existsSync('/dev/shm')) process.env.TMPDIR = '/dev/shm';

mkdirSync('.tmp', { recursive: true });
const workDir = mkdtempSync(join('.tmp', 'peers-'));
try {
  const programs = compileCPrograms(workDir);
  await using source = await startDovecot();
  await using target = await startDovecot();
  const mail = await loadMail(accessTo(source), mails.small);
  console.log(`small: ${mail.messages} messages, ${mail.bytes} bytes, ${mail.folders} folders`);
  const original = await dumpAccount(accessTo(source));
  const contenders = [
    ours,
    nodeFloor(1),
    nodeFloor(2),
    ...(programs === null ? [] : [cFloor(programs.floor)]),
    mbsync(await prepareMbsync()),
    ...(options.imapsync === undefined ? [] : [imapsync(options.imapsync)]),
    imapflowLoop,
  ];
  const entries = await measureCell(
    contenders.map((contender) => ({ contender, runs: Number(options.runs), again: contender === ours })),
    {
      name: 'small,rtt0',
      servers: { source, target },
      original,
      line: { dial: (account) => account, caFile: null },
      workDir,
      usage: programs?.usage ?? null,
      onRun: (name, run) => console.log(`  ${name.padEnd(30)} ${run.wallSeconds.toFixed(3)} s`),
    },
  );
  console.log(`\n${formatColumns(entryRows(entries, mail))}`);
} finally {
  rmSync(workDir, { recursive: true, force: true });
}
