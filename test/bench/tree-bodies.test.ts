import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bodiesOfTree, differenceOf } from '../../bench/support/tree-bodies.ts';
import { digestOf } from '../support/compare.ts';

const bodies = ['Subject: a\r\n\r\nFrom me\r\n>From you\r\n', 'Subject: b\r\n\r\nx\r\n', 'Subject: b\r\n\r\nx\r\n'];

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'imap-migrate-bodies-'));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function write(file: string, content: string): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), content);
}

function expected(...wanted: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const body of wanted) {
    const digest = digestOf(Buffer.from(body), { canonical: true });
    counts.set(digest, (counts.get(digest) ?? 0) + 1);
  }
  return counts;
}

describe('the bodies of a tree', () => {
  it('are found in a Maildir, without the mark of its program and whatever ends its lines', () => {
    write('INBOX/cur/1:2,S', 'Subject: a\nX-TUID: abc\n\nFrom me\n>From you\n');
    write('INBOX/new/2', bodies[1] ?? '');
    write('.Sent/cur/3', bodies[2] ?? '');
    write('INBOX/tmp/4', 'Subject: unfinished\n\n');
    expect(differenceOf(expected(...bodies), bodiesOfTree(root, 'maildir', 'X-TUID'))).toBe(null);
  });

  it('are found in mbox files', () => {
    write('a.mbox', 'From x\nSubject: a\r\n\r\n>From me\r\n>>From you\r\n\nFrom y\nSubject: b\r\n\r\nx\r\n\n');
    write('b/c.mbox', 'From z\nSubject: b\r\n\r\nx\r\n\n');
    expect(differenceOf(expected(...bodies), bodiesOfTree(root, 'mbox', null))).toBe(null);
  });

  it('are found in files of their own', () => {
    for (const [index, body] of bodies.entries()) write(`a/${index}.eml`, body);
    write('a/.imap-migrate-4.part', 'Subject: unfinished\n\n');
    expect(differenceOf(expected(...bodies), bodiesOfTree(root, 'eml', null))).toBe(null);
  });

  it('are missed when they are not there, and noticed when they should not be', () => {
    write('a/0.eml', bodies[1] ?? '');
    write('a/1.eml', 'Subject: c\r\n\r\n');
    expect(differenceOf(expected(...bodies), bodiesOfTree(root, 'eml', null))).toBe(
      '2 bodies are missing, 1 should not be there',
    );
  });
});
