/** A job in this process over real connections: cheap enough to be run by the dozen, with a wait for quiet of its own. */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';
import type { AccountSettings } from '../../src/account.ts';
import { migrate } from '../../src/coordinator.ts';
import type { JobReport } from '../../src/job.ts';
import { connectAccount } from '../../src/worker/login.ts';
import { InlineHost } from '../support/inline-host.ts';
import type { AccountAccess } from '../support/servers/index.ts';

export interface InlineJob {
  readonly source: AccountAccess;
  readonly target: AccountAccess;
  /** The target folder of the source's INBOX; nothing else is copied. */
  readonly folder: string;
  readonly settleMs: number;
}

/** Copies an INBOX with a new journal; where the job could not begin, once more. */
export async function copyInbox({ source, target, folder, settleMs }: InlineJob): Promise<JobReport> {
  const stateDir = mkdtempSync(join(inject('workDir'), 'job-'));
  const settings = {
    source: toSettings(source),
    target: toSettings(target),
    mapping: { map: [{ from: 'INBOX', to: folder }], include: ['INBOX'], exclude: [], mapSpecialUse: true },
    order: 'auto',
    flags: 'once',
    connections: 1,
    threads: 1,
    subscriptions: 'none',
    stateDir,
    rebuild: false,
    dryRun: false,
    wait: false,
  } as const;
  const hooks = { onEvent: () => {}, signal: new AbortController().signal };
  const run = () => migrate(settings, hooks, { host: new InlineHost(connectAccount), settleMs });
  return run().catch(run);
}

function toSettings({ host, port, user, password }: AccountAccess): AccountSettings {
  return {
    file: `${user}.ini`,
    host,
    port,
    tls: { mode: 'none', verify: true, checkHostname: true, ca: null },
    command: null,
    username: user,
    secret: password,
    auth: 'auto',
    authorizationId: null,
    timeoutMs: 20_000,
    prefix: null,
    delimiter: null,
  };
}
