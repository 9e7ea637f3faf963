/** `docs/GUARANTEES.md` names the tests that prove it. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = new URL('../../', import.meta.url);
const text = readFileSync(new URL('docs/GUARANTEES.md', root), 'utf8');
const named = [...new Set([...text.matchAll(/`(test\/[\w./-]+)`/g)].map(([, file = '']) => file))];

test('every test that the guarantees name is there', () => {
  expect(named.length).toBeGreaterThan(30);
  expect(named.filter((file) => !existsSync(fileURLToPath(new URL(file, root))))).toEqual([]);
});

test('no promise and no fault is without a test', () => {
  const rows = text
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (promise|what goes wrong) \|/.test(line));
  expect(rows.length).toBeGreaterThan(20);
  expect(rows.filter((row) => !row.includes('`test/'))).toEqual([]);
});
