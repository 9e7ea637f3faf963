/**
 * Maildir trees as other programs see them: Dovecot, Python's mailbox and mutt read what the store has written, and the store
 * reads what Dovecot has.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { openMaildirStore } from '../../src/archive/maildir-store.ts';
import type { NewBody, StoreOptions, TreePath, TreeStore } from '../../src/archive/store.ts';
import { awkwardBodies } from '../archive/awkward-bodies.ts';
import { encodeUtf7, RawImap, type RawMessage } from '../support/imap-raw.ts';
import { accessTo, type ServerInstance, startDovecot } from '../support/servers/index.ts';
import { availableServers, closeAfterAll } from './harness.ts';

const keep = closeAfterAll();
const { dovecot, mutt, python } = availableServers();

const flagSets = [
  [],
  ['\\Seen'],
  ['\\Answered', '\\Seen'],
  ['\\Draft'],
  ['\\Deleted', '\\Flagged'],
  ['$Forwarded', 'work'],
];
const folders: readonly TreePath[] = [
  ['INBOX'],
  ['INBOX', 'below'],
  ['Sent'],
  ['Entwürfe', '日本語', 'a&b'],
  ['Work (old)'],
];
const written = folders.map((path, folder) => ({
  path,
  messages: awkwardBodies.map((_, index) => newBody(folder, index)),
}));

function newBody(folder: number, index: number): NewBody {
  // Each folder begins elsewhere in the corpus.
  const { body } = awkwardBodies[(index + folder) % awkwardBodies.length] as { body: Buffer };
  const flags = flagSets[index % flagSets.length] ?? [];
  const dateMs = Date.UTC(1995 + index, folder, 28, 23, 59, index);
  return { uid: 10 * index + 7, flags, dateMs, body: { size: body.length, chunks: body.length === 0 ? [] : [body] } };
}

async function writeTree(root: string, layout: StoreOptions['layout']): Promise<void> {
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const store = openStore(root, layout);
  for (const { path, messages } of written) {
    await store.createFolder(path);
    const folder = await store.openFolder(path, { forWriting: true });
    await folder.append(messages);
    await folder.close();
  }
}

const openStore = (root: string, layout: StoreOptions['layout'] = 'maildir++'): TreeStore =>
  openMaildirStore({ root, fsync: 'batch', compress: 'none', layout });

const scratch = () => mkdtempSync(join(inject('workDir'), 'maildir-'));

/** As IMAP hands it out: lines end with CRLF, and Dovecot writes 0x80 for NUL, which a literal cannot hold (RFC 3501 4.3). */
function asServed(body: Buffer): Buffer {
  return Buffer.from(body.toString('latin1').replace(/\r?\n/g, '\r\n').replaceAll('\0', '\x80'), 'latin1');
}

const digest = (body: Buffer) => createHash('sha256').update(body).digest('hex');

const sorted = (flags: readonly string[] | null) => [...(flags ?? [])].filter((flag) => flag !== '\\Recent').sort();

const instant = (internalDate: string) => Date.parse(internalDate.replace(/^\s*(\d+)-(\w+)-/, '$1 $2 '));

describe.skipIf(!dovecot).each(['maildir++', 'fs'] as const)('Dovecot and a tree of the store (%s)', (layout) => {
  const location = `mail_location = maildir:~/mail${layout === 'fs' ? ':LAYOUT=fs' : ''}`;
  const start = async () => keep(await startDovecot({ storage: 'maildir', extraConfig: location }));
  const rootOf = (server: ServerInstance, user: string) => join(server.process.dir, 'mail', user, 'mail');

  test('agree about folders, bytes, flags, keywords and dates that the store has written', async () => {
    const server = await start();
    const root = rootOf(server, 'alice');
    await writeTree(root, layout);
    giveTo(statSync(join(server.process.dir, 'mail')), join(root, '..'));
    await using client = await RawImap.open(accessTo(server, 'alice'));

    const listed = (await client.list()).filter(({ attributes }) => !attributes.some(isNoFolder));
    expect(listed.map(({ name }) => name).sort()).toEqual(folders.map((path) => path.join('/')).sort());
    for (const { path, messages } of written) {
      const rawName = listed.find(({ name }) => name === path.join('/'))?.rawName ?? '';
      const found = await fetchAll(client, rawName);
      expect(found).toHaveLength(messages.length);
      for (const [index, message] of messages.entries()) {
        const { body, flags, internalDate } = found[index] as RawMessage;
        expect(digest(body), awkwardBodies[index]?.name).toBe(digest(asServed(Buffer.concat(message.body.chunks))));
        expect(sorted(flags)).toEqual(sorted(message.flags));
        expect(instant(internalDate)).toBe(message.dateMs);
      }
    }
    // It had nothing to rename or to complain about.
    const complaints = readFileSync(join(server.process.dir, 'server.log'), 'utf8').match(
      /^.*(?:Error|Warning|Panic).*$/gm,
    );
    expect(complaints).toBeNull();
    await expectSame(openStore(root));
  });

  test('agree about what Dovecot has written', async () => {
    const server = await start();
    await using client = await RawImap.open(accessTo(server, 'bob'));
    for (const { path, messages } of written) {
      const name = path.map(encodeUtf7).join('/');
      if (name !== 'INBOX') await client.command(`CREATE "${name}"`);
      // An empty message, and NUL, cannot be appended.
      const accepted = messages.filter(({ body }) => body.size > 0 && !Buffer.concat(body.chunks).includes(0));
      await client.append(
        name,
        accepted.map(({ body, flags, dateMs }) => ({
          body: Buffer.concat(body.chunks),
          flags,
          internalDate: dated(dateMs),
        })),
      );
    }
    const store = openStore(rootOf(server, 'bob'));
    const paths = (await store.listFolders()).filter(({ holdsMessages }) => holdsMessages).map(({ path }) => path);
    expect(paths.map((path) => path.join('/')).sort()).toEqual(folders.map((path) => path.join('/')).sort());
    for (const path of folders) {
      const folder = await store.openFolder(path, { forWriting: false });
      const served = await fetchAll(client, path.map(encodeUtf7).join('/'));
      const listed = await folder.list();
      expect(listed.map(({ uid }) => uid)).toEqual(served.map(() => null));
      const rows: string[] = [];
      for (const message of listed) {
        rows.push(row(Buffer.concat(await folder.read(message)), message.flags, message.dateMs));
      }
      expect(rows.sort()).toEqual(served.map((each) => row(each.body, each.flags, instant(each.internalDate))).sort());
    }
  });

  test('agree when both change flags, in turns', async () => {
    const server = await start();
    const root = rootOf(server, 'alice');
    await writeTree(root, layout);
    const owner = statSync(join(server.process.dir, 'mail'));
    giveTo(owner, join(root, '..'));
    const store = openStore(root);
    const folder = await store.openFolder(['Sent'], { forWriting: true });
    await using client = await RawImap.open(accessTo(server, 'alice'));
    await client.command('SELECT "Sent"');
    const before = await folder.list();
    await client.command('STORE 1:* FLAGS.SILENT (\\Flagged theirs)');
    // The store knows the files by their old names.
    await folder.setFlags(before.map((message) => ({ message, flags: ['\\Seen', 'work', 'ours'] })));
    giveTo(owner, join(root, '..'));
    await client.command('NOOP');
    const found = await fetchAll(client, 'Sent');
    expect(found.map(({ flags }) => sorted(flags))).toEqual(before.map(() => ['\\Seen', 'ours', 'work']));
    await client.command('SELECT "Sent"');
    await client.command('STORE 2 FLAGS.SILENT (theirs ours \\Answered)');
    const after = await folder.list();
    expect(after.map(({ uid }) => uid)).toEqual(before.map(({ uid }) => uid));
    expect(sorted(after[1]?.flags ?? [])).toEqual(['\\Answered', 'ours', 'theirs']);
    expect(sorted(after[2]?.flags ?? [])).toEqual(['\\Seen', 'ours', 'work']);
  });
});

describe.skipIf(!python)("Python's mailbox and a tree of the store", () => {
  const script = `
import hashlib, json, mailbox, sys
def tell(box):
    return sorted([hashlib.sha256(box.get_bytes(key)).hexdigest(), box.get_message(key).get_flags(),
        int(box.get_message(key).get_date()), box.get_message(key).get_subdir()] for key in box.keys())
root = mailbox.Maildir(sys.argv[1], create=False)
print(json.dumps({'': tell(root), **{name: tell(root.get_folder(name)) for name in root.list_folders()}}))
`;

  test('agree about folders, bytes, flags and dates', async () => {
    const root = join(scratch(), 'tree');
    await writeTree(root, 'maildir++');
    const seen = JSON.parse(execFileSync('python3', ['-c', script, root], { encoding: 'utf8' }));
    const letters: Readonly<Record<string, string>> = {
      '\\Draft': 'D',
      '\\Flagged': 'F',
      '\\Answered': 'R',
      '\\Seen': 'S',
      '\\Deleted': 'T',
    };
    const wanted = written.map(({ path, messages }) => {
      const name = path.length === 1 && path[0] === 'INBOX' ? '' : path.map(encodeUtf7).join('.');
      const rows = messages.map(({ body, flags, dateMs }) => [
        digest(Buffer.concat(body.chunks)),
        flags
          .map((flag) => letters[flag] ?? (flag === '$Forwarded' ? 'Pa' : 'b'))
          .sort()
          .join(''),
        dateMs / 1000,
        'cur',
      ]);
      return [name, rows.sort()] as const;
    });
    expect(sortedRows(seen)).toEqual(sortedRows(Object.fromEntries(wanted)));
  });
});

describe.skipIf(!mutt || !python)('mutt and a tree of the store', () => {
  // It has to see a terminal.
  const inTerminal = `
import os, pty, sys
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))
`;

  /** What mutt sees in a folder: how many messages there are, and copies of those that have a Message-ID. */
  function lookWithMutt(folder: string): { readonly count: number; readonly copy: string } {
    const home = scratch();
    const copy = join(home, 'copy');
    const settings = `
set sleep_time=0 quit=yes confirmappend=no confirmcreate=no copy=yes delete=no move=no wait_key=no
set mbox_type=Maildir status_format="there are %m;" folder=${home}
push "<tag-pattern>~i awkward<enter><tag-prefix><copy-message>${copy}<enter><exit>"
`;
    writeFileSync(join(home, 'muttrc'), settings);
    const command = ['mutt', '-n', '-F', join(home, 'muttrc'), '-R', '-f', folder];
    const shown = execFileSync('python3', ['-c', inTerminal, ...command], {
      env: { ...process.env, HOME: home, TERM: 'vt100' },
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: 60_000,
      encoding: 'utf8',
    });
    return { count: Number(/there are (\d+);/.exec(shown)?.[1]), copy };
  }

  /** What follows the header, which mutt changes; and the flags it knows. */
  const rowOf = (message: Buffer, letters: string) => {
    const text = message.toString('latin1');
    return [digest(Buffer.from(text.slice(text.search(/\n\r?\n/)).replace(/^\n\r?\n/, ''), 'latin1')), letters];
  };
  const hasMessageId = (message: Buffer) => message.toString('latin1', 0, 12).startsWith('Message-ID: ');

  test.each(['maildir++', 'fs'] as const)('agree about number, flags and bytes (%s)', async (layout) => {
    const root = join(scratch(), 'tree');
    await writeTree(root, layout);
    for (const { path, messages } of written) {
      const separator = layout === 'fs' ? '/' : '.';
      const isInbox = path.length === 1 && path[0] === 'INBOX';
      const name = `${layout === 'fs' ? '' : '.'}${path.map(encodeUtf7).join(separator)}`;
      const { count, copy } = lookWithMutt(isInbox ? root : join(root, name));
      expect(count, name).toBe(messages.length);
      const copied = ['cur', 'new'].flatMap((part) =>
        readdirSync(join(copy, part)).map((file) => join(copy, part, file)),
      );
      const found = copied.map((file) => ({ body: readFileSync(file), letters: /:2,(.*)$/.exec(file)?.[1] ?? '' }));
      const wanted = messages.map(({ body, flags }) => {
        const letters = ['\\Flagged', '\\Answered', '\\Seen'].map((flag, index) =>
          flags.includes(flag) ? 'FRS'[index] : '',
        );
        return { body: Buffer.concat(body.chunks), letters: letters.join('') };
      });
      const [foundRows, wantedRows] = [found, wanted].map((list) => {
        const plain = list.filter(({ body }) => hasMessageId(body));
        return plain.map(({ body, letters }) => rowOf(body, letters.replace(/[^FRS]/g, '')).join(' ')).sort();
      });
      expect(foundRows).toEqual(wantedRows);
      expect(foundRows?.length).toBeGreaterThan(10);
    }
  });
});

async function fetchAll(client: RawImap, rawName: string): Promise<RawMessage[]> {
  const found: RawMessage[] = [];
  await client.examine(rawName);
  await client.fetchEach((message) => found.push(message));
  return found;
}

/** The store finds what it has written, whatever others did with it meanwhile. */
async function expectSame(store: TreeStore): Promise<void> {
  for (const { path, messages } of written) {
    const folder = await store.openFolder(path, { forWriting: false });
    const listed = await folder.list();
    expect(listed.map(({ uid, flags, dateMs }) => [uid, sorted(flags), dateMs])).toEqual(
      messages.map(({ uid, flags, dateMs }) => [uid, sorted(flags), dateMs]),
    );
    for (const [index, message] of listed.entries()) {
      const body = Buffer.concat(messages[index]?.body.chunks ?? []);
      expect(Buffer.concat(await folder.read(message)).equals(body)).toBe(true);
    }
  }
}

function row(body: Buffer, flags: readonly string[] | null, dateMs: number): string {
  return JSON.stringify([digest(asServed(body)), sorted(flags), dateMs]);
}

function sortedRows(rows: Readonly<Record<string, readonly (readonly unknown[])[]>>): string[] {
  return Object.entries(rows)
    .flatMap(([name, list]) => list.map((each) => JSON.stringify([name, ...each])))
    .sort();
}

function isNoFolder(attribute: string): boolean {
  return /^\\(?:noselect|nonexistent)$/i.test(attribute);
}

/** INTERNALDATE of an instant. */
function dated(dateMs: number): string {
  const [, day, month, year, time] = /^\w+, (\d+) (\w+) (\d+) (\S+)/.exec(new Date(dateMs).toUTCString()) ?? [];
  return `${day}-${month}-${year} ${time} +0000`;
}

function giveTo({ uid, gid }: Stats, directory: string): void {
  chownSync(directory, uid, gid);
  for (const entry of readdirSync(directory, { recursive: true, encoding: 'utf8' }))
    chownSync(join(directory, entry), uid, gid);
}
