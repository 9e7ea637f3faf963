import type { MessagePort } from 'node:worker_threads';
import { systemClock } from '../clock.ts';
import { PortChannel } from './channel.ts';
import type { FromLane, LaneOptions, LaneResult, ToLane } from './contract.ts';
import { runLane } from './lane.ts';
import { connectAccount } from './login.ts';

/** Each thread's own clock begins when the thread does. */
const sharedMs = () => Number(process.hrtime.bigint() / 1000n) / 1000;

/** A thread's entry: one call is one lane, for its whole life. */
export default async function main(task: {
  readonly options: LaneOptions;
  readonly port: MessagePort;
}): Promise<LaneResult> {
  const channel = new PortChannel<FromLane, ToLane>(task.port);
  try {
    const parts = { connect: connectAccount, clock: systemClock, wallClockMs: Date.now, sharedMs };
    return await runLane(task.options, channel, parts);
  } finally {
    channel.close();
  }
}
