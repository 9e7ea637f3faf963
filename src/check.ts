import type { AccountSettings } from './account.ts';
import { type Cancel, systemClock } from './clock.ts';
import type { JobHooks, JobParts } from './coordinator.ts';
import type { AccountReport } from './job.ts';
import { LaneDriver, ThreadHost, toJobError } from './lanes.ts';

/** What the lane may take to end once it was told to; what is left then is ended at once. */
const drainMs = 4_000;

/**
 * Logs in to one account and tells what the server offers and what the account holds. Writes nothing.
 * @throws MigrateError when the account cannot be opened.
 */
export async function checkAccount(
  account: AccountSettings,
  hooks: JobHooks,
  parts?: JobParts,
): Promise<AccountReport> {
  const host = parts?.host ?? new ThreadHost(1);
  const clock = parts?.clock ?? systemClock;
  const lane = new LaneDriver(host.start({ laneId: 0, isFirst: true, source: account, target: null }), () => {});
  const cancels: Cancel[] = [];
  const end = () => {
    lane.post({ kind: 'drain' });
    cancels.push(clock.after(drainMs, () => void host.close()));
  };
  hooks.signal.addEventListener('abort', end);
  if (hooks.signal.aborted) end();
  try {
    await lane.expect(['ready']);
    lane.post({ kind: 'report' });
    return (await lane.expect(['reported'])).report;
  } catch (error) {
    throw toJobError(error);
  } finally {
    hooks.signal.removeEventListener('abort', end);
    end();
    await lane.ended;
    for (const cancel of cancels) cancel();
    await host.close();
  }
}
