/**
 * The demo: a whole migration between two servers of our own, and what to type for real accounts.
 */
import { toDisplay } from '../display.ts';
import { exitCodes, worstExitCode } from '../errors.ts';
import { verifyPair } from './commands.ts';
import { formatNoun } from './format.ts';
import { tellJobSummary, tellJobVerdict } from './job-summary.ts';
import { type OptionValues, toJobOptions } from './options.ts';
import type { Session } from './session.ts';
import { runStoppable } from './signals.ts';

const sampleAccount = [
  '  ; old.ini - chmod 600 it; new.ini looks the same',
  '  [DEFAULT]',
  '  host = imap.old.example.org',
  '  username = alice@old.example.org',
  '  password_command = pass show mail/old',
];

/** `imap-migrate demo`. Writes nothing outside a temporary directory, which is gone afterwards. */
export async function runDemo(session: Session, options: OptionValues): Promise<number> {
  const { io, style } = session;
  const servers = await io.engine.openDemo();
  try {
    session.keepSecret(servers.source);
    session.keepSecret(servers.target);
    session.notice(
      style.bold(
        `Demo: two mail servers run inside this process, one with ${formatNoun(servers.messages, 'message')}.`,
      ),
      'They speak real IMAP over loopback connections. Nothing else is contacted, and',
      'nothing stays behind.',
      '',
      style.bold('1. Migrate'),
    );
    const settings = {
      ...toJobOptions(options, io),
      stateDir: servers.stateDir,
      source: servers.source,
      target: servers.target,
      dryRun: false,
    };
    const { result, stoppedWith } = await runStoppable(session, (signal) =>
      io.engine.migrate(settings, { onEvent: session.onEvent, signal }),
    );
    const report = session.clean(result);
    tellJobSummary(session, report);
    tellJobVerdict(session, report);
    if (report.verdict === 'stopped' || report.verdict === 'failed') return stoppedWith ?? report.exitCode;
    session.notice('', style.bold('2. Verify: read every message on both sides again and compare digests'));
    const verified = await verifyPair(session, { ...settings, dryRun: true, digest: true });
    if (verified === exitCodes.interrupted || verified === exitCodes.terminated) return verified;
    tellNextSteps(session);
    return worstExitCode([report.exitCode, verified]);
  } finally {
    await servers.close();
  }
}

function tellNextSteps(session: Session): void {
  const { style } = session;
  session.notice(
    '',
    style.bold('Your own accounts: describe each in a small file,'),
    '',
    ...sampleAccount.map(toDisplay),
    '',
    style.bold('then'),
    '',
    '  imap-migrate check old.ini new.ini            log in, see what is there',
    '  imap-migrate plan old.ini new.ini             see what would go where',
    '  imap-migrate old.ini new.ini                  copy; again for what is new',
    '  imap-migrate verify old.ini new.ini --digest  prove it',
  );
}
