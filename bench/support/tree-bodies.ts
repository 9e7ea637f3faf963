/** The messages of a tree, found by what its format says and without the product's own code. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import type { TreeFormat } from '../../src/archive/store.ts';
import { type AccountDump, type DumpOptions, digestOf } from '../../test/support/compare.ts';

/** mbsync writes line ends as LF, so that they count for nothing. */
const canonical: DumpOptions = { canonical: true };

/** How often each body is in an account that was dumped as canonical. */
export function bodiesOfAccount(dump: AccountDump): Map<string, number> {
  const bodies = new Map<string, number>();
  for (const messages of dump.values()) for (const { digest } of messages) count(bodies, digest);
  return bodies;
}

/** How often each body is in a tree. `mark`: a header line that counts for nothing. */
export function bodiesOfTree(root: string, format: TreeFormat, mark: string | null): Map<string, number> {
  const options = mark === null ? canonical : { ...canonical, withoutHeader: mark };
  const bodies = new Map<string, number>();
  for (const file of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    if (!holdsMail[format](file)) continue;
    const content = readFileSync(join(root, file));
    for (const body of format === 'mbox' ? splitMbox(content) : [content]) count(bodies, digestOf(body, options));
  }
  return bodies;
}

/** One line for people; `null`: they are the same. */
export function differenceOf(expected: ReadonlyMap<string, number>, found: ReadonlyMap<string, number>): string | null {
  const missing = [...expected].filter(([digest, times]) => (found.get(digest) ?? 0) < times).length;
  const extra = [...found].filter(([digest, times]) => (expected.get(digest) ?? 0) < times).length;
  return missing + extra === 0 ? null : `${missing} bodies are missing, ${extra} should not be there`;
}

const holdsMail: Readonly<Record<TreeFormat, (file: string) => boolean>> = {
  maildir: (file) => /^(?:cur|new)$/.test(file.split(sep).at(-2) ?? '') && !/(?:^|[/\\])\.[^/\\]*$/.test(file),
  mbox: (file) => file.endsWith('.mbox'),
  eml: (file) => file.endsWith('.eml'),
};

/** mboxrd: messages begin with `From `, and lines of theirs that look so have one `>` more. */
function* splitMbox(content: Buffer): Generator<Buffer> {
  for (let at = 0; at < content.length; ) {
    const body = content.indexOf('\n', at) + 1;
    const next = content.indexOf('\nFrom ', body - 1);
    const end = next === -1 ? content.length - 1 : next;
    yield Buffer.from(content.toString('latin1', body, end).replace(/^>(>*From )/gm, '$1'), 'latin1');
    at = end + 1;
  }
}

function count(bodies: Map<string, number>, digest: string): void {
  bodies.set(digest, (bodies.get(digest) ?? 0) + 1);
}
