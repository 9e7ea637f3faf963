import type { Disturbance } from './disturbance.ts';
import type { Scenario } from './scenario.ts';
import { type Outcome, simulate } from './simulate.ts';

/** A scenario that still breaks the same guarantee, without what does not matter for that. */
export interface Shrunk {
  readonly scenario: Scenario;
  readonly outcome: Outcome;
}

/** Leaves out disturbances, runs and folders one by one, as long as the same guarantee is broken. */
export async function shrink(scenario: Scenario, outcome: Outcome): Promise<Shrunk> {
  let best: Shrunk = { scenario, outcome };
  for (let isSmaller = true; isSmaller; ) {
    isSmaller = false;
    for (const smaller of smallerOnes(best.scenario)) {
      const result = await simulate(smaller);
      if (result.violation?.guarantee !== outcome.violation?.guarantee) continue;
      best = { scenario: smaller, outcome: result };
      isSmaller = true;
      break;
    }
  }
  return best;
}

function* smallerOnes(scenario: Scenario): Generator<Scenario> {
  const { disturbances, folders, acts } = scenario;
  for (const index of disturbances.keys()) yield { ...scenario, disturbances: disturbances.toSpliced(index, 1) };
  for (let act = 0; act < acts; act++) {
    if (acts === 1 && disturbances.length > 0) break;
    const rest = disturbances.filter((each) => each.act !== act);
    const renumbered = rest.map((each): Disturbance => ({ ...each, act: each.act > act ? each.act - 1 : each.act }));
    yield { ...scenario, acts: acts - 1, disturbances: renumbered };
  }
  // INBOX, the first one, is always there; what is disturbed in a folder goes by its number.
  if (folders.length > 1) yield { ...scenario, folders: folders.slice(0, -1) };
  for (const [index, folder] of folders.entries()) {
    if (folder.messages.length === 0) continue;
    const messages = folder.messages.slice(0, folder.messages.length >> 1);
    const smaller = { ...folder, messages, atTarget: folder.atTarget.filter((at) => at < messages.length) };
    yield { ...scenario, folders: folders.with(index, smaller) };
  }
  if (scenario.connections !== 1) yield { ...scenario, connections: 1 };
  if (scenario.splitBytes !== null) yield { ...scenario, splitBytes: null };
  if (scenario.latencyMs.source + scenario.latencyMs.target > 0)
    yield { ...scenario, latencyMs: { source: 0, target: 0 } };
}
