import type { AccountSettings } from './account.ts';
import type { JobHooks, JobParts } from './coordinator.ts';
import type { AccountReport } from './job.ts';
import { LaneDriver, ThreadHost, toJobError } from './lanes.ts';

/**
 * Logs in to one account and tells what the server offers and what the account holds. Writes nothing.
 * @throws MigrateError when the account cannot be opened.
 */
export async function checkAccount(
  account: AccountSettings,
  hooks: JobHooks,
  parts?: JobParts,
): Promise<AccountReport> {
  const host = parts?.host ?? new ThreadHost(1, 1);
  const lane = new LaneDriver(host.start({ laneId: 0, source: account, target: null }), () => {});
  const stop = () => lane.post({ kind: 'drain' });
  hooks.signal.addEventListener('abort', stop);
  try {
    await lane.expect(['ready']);
    lane.post({ kind: 'report' });
    return (await lane.expect(['reported'])).report;
  } catch (error) {
    throw toJobError(error);
  } finally {
    hooks.signal.removeEventListener('abort', stop);
    lane.post({ kind: 'drain' });
    await lane.ended;
    await host.close();
  }
}
