/** True: no case is left out, as in `npm run test:faults`; else tests take the samples that `npm test` has time for. */
export const isWhole = process.env.FAULTS === 'all';

/** Of cases that are numbered from 1, those to be run: every one, or each `stride`-th, beginning somewhere else in each test. */
export function* sampled(test: number, stride: number): Generator<number> {
  const step = isWhole ? 1 : stride;
  for (let at = 1 + (test % step); ; at += step) yield at;
}
