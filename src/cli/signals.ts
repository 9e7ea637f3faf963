/**
 * Ctrl-C and its relatives around one piece of work.
 */
import type { Cancel } from '../clock.ts';
import { exitCodes, MigrateError } from '../errors.ts';
import type { SignalName } from './io.ts';
import type { Session } from './session.ts';

export interface Ended<Result> {
  readonly result: Result;
  /** 130 or 143 where the work was told to stop; `null` where it came to its own end. */
  readonly stoppedWith: number | null;
}

/** Time between the first signal and the end of the process, at most: five seconds less what ending takes. */
const stopWithinMs = 4_800;

const stopCodes = { SIGINT: exitCodes.interrupted, SIGTERM: exitCodes.terminated } as const;

/**
 * Runs `work` with progress shown and signals heard: the first SIGINT or SIGTERM aborts the signal that `work` was given,
 * so that it can finish what is in flight; the second, or five seconds without an end, ends the process at once. All of
 * that is said.
 * @throws MigrateError `STOPPED` in place of what `work` throws once it was told to stop.
 */
export async function runStoppable<Result>(
  session: Session,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Ended<Result>> {
  const controller = new AbortController();
  let stoppedWith: number | null = null;
  let cancelDeadline: Cancel = () => {};
  const exit = (code: number) => {
    session.endProgress();
    session.problem('Stopped at once. Run the same command again to go on.');
    session.close(code);
    session.io.exit(code);
  };
  const stop = (name: Exclude<SignalName, 'SIGUSR1'>) => {
    const code = stopCodes[name];
    if (stoppedWith !== null) {
      exit(code);
      return;
    }
    stoppedWith = code;
    cancelDeadline = session.io.clock.after(stopWithinMs, () => exit(code));
    session.emit({ kind: 'stopping', signal: name });
    session.problem(
      'Stopping: what is in flight is finished first, which takes 5 seconds at most. What is copied stays copied; run the' +
        ' same command again to go on.',
      ...(name === 'SIGINT' ? ['Press Ctrl-C again to stop at once.'] : []),
    );
    controller.abort();
  };
  const cancels = [
    session.io.onSignal('SIGINT', () => stop('SIGINT')),
    session.io.onSignal('SIGTERM', () => stop('SIGTERM')),
  ];
  session.beginProgress();
  try {
    return { result: await work(controller.signal), stoppedWith };
  } catch (error) {
    if (stoppedWith === null) throw error;
    const why = error instanceof MigrateError ? ` (${error.message})` : '';
    throw new MigrateError('STOPPED', stoppedWith, `stopped before there was anything to report${why}`, {
      cause: error,
    });
  } finally {
    for (const cancel of [...cancels, cancelDeadline]) cancel();
    session.endProgress();
  }
}
