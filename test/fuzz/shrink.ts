/** Failing inputs are not tried on for longer than this. */
const patienceMs = 5_000;

/**
 * A smaller input that still fails: leaves out pieces, halves first and single bytes last, then makes plain letters of
 * what is left, as long as `fails` says so and time is left.
 */
export async function shrunk(input: Buffer, fails: (input: Buffer) => Promise<boolean>): Promise<Buffer> {
  const deadline = performance.now() + patienceMs;
  let best = input;
  for (let size = Math.ceil(input.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < best.length && performance.now() < deadline; ) {
      const smaller = Buffer.concat([best.subarray(0, at), best.subarray(at + size)]);
      if (await fails(smaller)) best = smaller;
      else at += size;
    }
  }
  for (let at = 0; at < best.length && performance.now() < deadline; at++) {
    if (best[at] === 0x78) continue;
    const plainer = Buffer.from(best);
    plainer[at] = 0x78;
    if (await fails(plainer)) best = plainer;
  }
  return best;
}
