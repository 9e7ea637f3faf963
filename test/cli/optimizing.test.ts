import { expect, it } from 'vitest';
import { optimizeLater } from '../../src/cli/optimizing.ts';

it.each([
  { v8: '11.3.244.8-node.30', flags: [expect.stringMatching(/^--interrupt-budget=\d+$/)] },
  { v8: '12.4.254.21-node.33', flags: [expect.stringMatching(/^--interrupt-budget=\d+$/)] },
  { v8: '13.6.233.10-node.26', flags: [] },
])('V8 $v8 is told to optimize later only in words it knows', ({ v8, flags }) => {
  const set: string[] = [];
  optimizeLater(v8, (flag) => set.push(flag));
  expect(set).toEqual(flags);
});
