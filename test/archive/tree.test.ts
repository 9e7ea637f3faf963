import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findTree, parseTreeReference } from '../../src/archive/tree.ts';

let root: string;

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'tree-')));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Files by their contents; a name that ends in a slash is a directory. */
function plant(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    const path = join(root, name);
    mkdirSync(name.endsWith('/') ? path : dirname(path), { recursive: true });
    if (!name.endsWith('/')) writeFileSync(path, text);
  }
}

describe('a word of the command line', () => {
  it.each([
    ['maildir:/srv/mail', { format: 'maildir', path: '/srv/mail' }],
    ['mbox:a b', { format: 'mbox', path: 'a b' }],
    ['eml:backup/2026:01', { format: 'eml', path: 'backup/2026:01' }],
    ['eml:~/mail', { format: 'eml', path: join(homedir(), 'mail') }],
    ['eml:~alice', { format: 'eml', path: '~alice' }],
    ['backup/', { format: null, path: 'backup/' }],
    ['pst:mail', null],
    ['account.ini', null],
    ['account.ini#work', null],
  ])('%s is read', (word, reference) => {
    expect(parseTreeReference(word)).toEqual(reference);
  });

  it('is a tree where a directory has that name', () => {
    expect(parseTreeReference(root)).toEqual({ format: null, path: root });
  });

  it('is refused where the path is missing', () => {
    expect(() => parseTreeReference('mbox:')).toThrow('mbox: lacks a path: mbox:DIRECTORY');
  });
});

describe('the kind of a tree', () => {
  it.each([
    ['a Maildir++ root', { 'cur/': '', 'new/': '', 'tmp/': '', '.Sent/cur/': '' }, 'maildir', 'imap-migrate'],
    ['an empty Maildir', { 'cur/': '', 'new/': '', 'tmp/': '' }, 'maildir', 'imap-migrate'],
    ['Maildirs in directories', { 'INBOX/cur/': '', 'INBOX/new/': '' }, 'maildir', '.imap-migrate'],
    ['mbox files by name', { 'Archive/2019.mbox': '' }, 'mbox', '.imap-migrate'],
    ['mbox files by their first line', { 'Sent.msf': '//', Sent: 'From - Mon Jan  1' }, 'mbox', '.imap-migrate'],
    ['a tree of Thunderbird', { 'Mail.sbd/': '' }, 'mbox', '.imap-migrate'],
    ['eml files', { 'INBOX/2019/a.eml': 'Subject: a' }, 'eml', '.imap-migrate'],
    ['compressed eml files', { 'INBOX/a.eml.zst': '' }, 'eml', '.imap-migrate'],
    ['what the tree says', { '.imap-migrate/format': 'eml 7\n', 'a.mbox': '' }, 'eml', '.imap-migrate'],
    ['what a Maildir++ tree says', { 'imap-migrate/format': 'maildir 7\n' }, 'maildir', 'imap-migrate'],
  ] as const)('is told by %s', (_, files, format, state) => {
    plant(files);
    expect(findTree({ format: null, path: root }, { create: false })).toEqual({
      format,
      root,
      stateDirectory: join(root, state),
    });
  });

  it('is asked for where nothing tells it', () => {
    plant({ 'notes.txt': 'Dear diary' });
    expect(() => findTree({ format: null, path: root }, { create: false })).toThrow(/name the kind/);
  });

  it('is eml for a new tree that nobody named', () => {
    const path = join(root, 'a', 'b');
    expect(findTree({ format: null, path }, { create: true })).toMatchObject({ format: 'eml', root: path });
  });

  it('is not changed by calling it another', () => {
    plant({ '.imap-migrate/format': 'eml 7\n' });
    expect(() => findTree({ format: 'mbox', path: root }, { create: false })).toThrow(/of the kind eml, not mbox/);
  });

  it('is not believed where it is unknown', () => {
    plant({ '.imap-migrate/format': 'pst 7\n' });
    expect(() => findTree({ format: 'eml', path: root }, { create: false })).toThrow(/names no kind of tree/);
  });

  it('is not looked for behind links', () => {
    plant({ 'elsewhere/a.eml': '' });
    mkdirSync(join(root, 'tree'));
    symlinkSync(join(root, 'elsewhere'), join(root, 'tree', 'link'));
    expect(() => findTree({ format: null, path: join(root, 'tree') }, { create: false })).toThrow(/name the kind/);
  });

  it('is that of a directory that is there', () => {
    expect(() => findTree({ format: null, path: join(root, 'none') }, { create: false })).toThrow(/no directory/);
  });
});
