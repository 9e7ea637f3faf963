import { describe, expect, it } from 'vitest';
import { defaultLimits, resolveLimits } from '../../src/protocol/limits.ts';

describe('limits', () => {
  it('are all positive, and bound each other', () => {
    expect(Object.values(defaultLimits).every((limit) => limit > 0)).toBe(true);
    const { maxLiteralBytes, maxResponseBytes, streamLiteralBytes, maxTextBytes, maxJoinedBytes } = defaultLimits;
    expect(maxResponseBytes).toBeGreaterThan(maxLiteralBytes + maxTextBytes);
    expect(streamLiteralBytes).toBeLessThan(maxLiteralBytes);
    expect(maxJoinedBytes).toBeLessThan(streamLiteralBytes);
  });

  it('are changed one by one', () => {
    expect(resolveLimits({ maxDepth: 3 })).toEqual({ ...defaultLimits, maxDepth: 3 });
  });
});
