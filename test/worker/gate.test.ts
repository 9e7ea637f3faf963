import { expect, it } from 'vitest';
import { turns } from '../../src/testing/manual-clock.ts';
import { Gate } from '../../src/worker/gate.ts';

it('a gate that is held lets nobody pass, and then everybody in order', async () => {
  const gate = new Gate();
  const passed: number[] = [];
  await gate.passed();
  gate.hold();
  gate.hold();
  const both = [1, 2].map((n) => gate.passed().then(() => passed.push(n)));
  await turns(2);
  expect(passed).toEqual([]);
  gate.release();
  await Promise.all(both);
  expect(passed).toEqual([1, 2]);
  gate.release();
  await gate.passed();
});
