/** What `npm publish` would publish. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { publint } from 'publint';
import { beforeAll, describe, expect, test } from 'vitest';
import { ensureBuilt, projectRoot } from '../scripts/setup.mjs';

const manifest: { readonly exports: Readonly<Record<string, unknown>> } = JSON.parse(
  readFileSync(join(projectRoot, 'package.json'), 'utf8'),
);

describe('the package', () => {
  beforeAll(ensureBuilt, 120_000);

  test('has nothing in it that package managers or bundlers would stumble over', async () => {
    const { messages } = await publint({ pkgDir: projectRoot, pack: 'npm', strict: true });
    expect(messages).toEqual([]);
  });

  test('holds the compiled code and the documents, no sources and no tests', () => {
    const packed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: projectRoot,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [{ files }]: [{ files: readonly { readonly path: string }[] }] = JSON.parse(packed);
    const paths = files.map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining(['dist/cli.cjs', 'dist/testing/index.js', 'docs/testing.md', 'README.md']),
    );
    const allowed = /^(dist\/.*\.(c?js|d\.ts)|docs\/.*\.md|(README|CHANGELOG)\.md|LICENSE|package\.json)$/;
    expect(paths.filter((path) => !allowed.test(path))).toEqual([]);
  });

  test.each(Object.keys(manifest.exports))('can be imported by its name: %s', (entry) => {
    const name = `imap-migrate${entry.slice(1)}`;
    const how = entry.endsWith('.json') ? ", { with: { type: 'json' } }" : '';
    const script = `const all = await import('${name}'${how}); console.log(Object.keys(all).length > 0)`;
    const said = execFileSync(process.execPath, ['--no-warnings', '--input-type=module', '-e', script], {
      cwd: projectRoot,
      encoding: 'utf8',
    });
    expect(said.trim()).toBe('true');
  });
});
