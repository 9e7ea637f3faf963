import { describe, expect, it } from 'vitest';
import { Budget } from '../../src/worker/budget.ts';

/** Whether a promise is settled once everything that is ready has run. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let pending = true;
  void promise.then(() => {
    pending = false;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return pending;
}

describe('a budget', () => {
  it('grants at once what fits', async () => {
    const budget = new Budget(100);
    await budget.acquire(60);
    await budget.acquire(40);
    expect(await isPending(budget.acquire(1))).toBe(true);
  });

  it('grants in the order of asking, so that a big request is not starved by small ones', async () => {
    const budget = new Budget(100);
    await budget.acquire(60);
    const big = budget.acquire(80);
    const small = budget.acquire(10);
    expect(await isPending(small)).toBe(true);
    budget.release(60);
    expect(await isPending(big)).toBe(false);
    expect(await isPending(small)).toBe(false);
  });

  it('lets one exceed it alone', async () => {
    const budget = new Budget(100);
    await budget.acquire(5_000);
    const next = budget.acquire(1);
    expect(await isPending(next)).toBe(true);
    budget.release(5_000);
    expect(await isPending(next)).toBe(false);
  });
});
