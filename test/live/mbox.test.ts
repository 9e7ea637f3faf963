/** Mbox files of ours before the eyes of other programs. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { openMboxStore } from '../../src/archive/mbox-store.ts';
import type { StoreFolder } from '../../src/archive/store.ts';
import { awkwardBodies } from '../archive/awkward-bodies.ts';
import { RawImap } from '../support/imap-raw.ts';
import { isInstalled, readMboxWithMutt, readMboxWithPython } from '../support/mail-programs.ts';
import { accessTo, type ServerInstance, startDovecot } from '../support/servers/index.ts';
import { availableServers, closeAfterAll, Workspace } from './harness.ts';

const servers = availableServers();
const keep = closeAfterAll();
const workspace = new Workspace();
const dateMs = Date.UTC(2026, 10, 5, 9, 30);

async function openInbox(root: string): Promise<StoreFolder> {
  const store = openMboxStore({ root, fsync: 'never', compress: 'none', layout: 'fs' });
  await store.createFolder(['INBOX']);
  return store.openFolder(['INBOX'], { forWriting: true });
}

async function newTree(bodies: readonly { readonly body: Buffer }[] = awkwardBodies): Promise<string> {
  const root = mkdtempSync(join(workspace.dir, 'tree-'));
  const folder = await openInbox(root);
  await folder.append(
    bodies.map(({ body }, at) => ({ uid: at + 1, flags: [], dateMs, body: { size: body.length, chunks: [body] } })),
  );
  await folder.close();
  return root;
}

/** As it is in the file. */
function quoted(body: Buffer): Buffer {
  return Buffer.from(body.toString('latin1').replace(/(^|\n)(>*From )/g, '$1>$2'), 'latin1');
}

/** In an mbox, the last line of a message ends. */
function ended(body: Buffer): Buffer {
  return body.length === 0 || body.at(-1) === 0x0a ? body : Buffer.concat([body, Buffer.from('\n')]);
}

describe('an mbox of ours', () => {
  test('is to Python the same messages, quoted, with their last lines ended', async () => {
    const read = readMboxWithPython(join(await newTree(), 'INBOX.mbox'));
    expect(read).toHaveLength(awkwardBodies.length);
    for (const [at, { name, body }] of awkwardBodies.entries()) {
      expect(read[at]?.equals(ended(quoted(body))), name).toBe(true);
    }
  });

  describe.skipIf(!isInstalled('mutt', '-v'))('is to mutt', () => {
    test('as many messages', async () => {
      const root = await newTree();
      const before = readFileSync(join(root, 'INBOX.mbox'));
      const read = readMboxWithMutt(join(root, 'INBOX.mbox'));
      expect(read).toHaveLength(awkwardBodies.length);
      expect(readFileSync(join(root, 'INBOX.mbox')).equals(before)).toBe(true);
    });

    test('a file to write marks into, after which all messages are there by their UIDs, and more can be added', async () => {
      const root = await newTree();
      readMboxWithMutt(join(root, 'INBOX.mbox'), { markRead: true });
      expect(readFileSync(join(root, 'INBOX.mbox'), 'latin1').match(/^Status: RO\n/gm)).toHaveLength(
        awkwardBodies.length,
      );
      const folder = await openInbox(root);
      await folder.append([{ uid: 100, flags: [], dateMs, body: { size: 1, chunks: [Buffer.from('x')] } }]);
      const listed = await folder.list();
      expect(listed.map(({ uid }) => uid)).toEqual([...awkwardBodies.map((_, at) => at + 1), 100]);
      const ordinary = Buffer.concat([...(await folder.read(listed[0] as never))]).toString('latin1');
      expect(ordinary.replace(/^(?:Status|Content-Length|Lines): .*\r\n/gm, '')).toBe(
        awkwardBodies[0]?.body.toString('latin1'),
      );
      await folder.close();
    });
  });

  describe.skipIf(!servers.dovecot)('is to Dovecot', () => {
    let dovecot: ServerInstance;

    beforeAll(async () => {
      dovecot = keep(
        await startDovecot({
          extraConfig: 'mail_location = mbox:~/mail:INBOX=~/mail/INBOX.mbox',
        }),
      );
    });

    /** Puts a tree where a user's mail is, and lists what the server makes of it. */
    const serve = async (user: string, root: string) => {
      const home = join(dovecot.process.dir, 'mail', user);
      cpSync(root, join(home, 'mail'), { recursive: true });
      if (process.getuid?.() === 0)
        execFileSync('chown', ['-R', '--reference', join(dovecot.process.dir, 'mail'), home]);
      await using client = await RawImap.open(accessTo(dovecot, user));
      const found: Buffer[] = [];
      await client.examine('INBOX');
      await client.fetchEach((message) => found.push(message.body));
      return { found, file: join(home, 'mail', 'INBOX.mbox') };
    };

    test('the same messages, quoted, their lines ended by CRLF, less the fields that belong to the file', async () => {
      const { found } = await serve('reader', await newTree());
      expect(found).toHaveLength(awkwardBodies.length);
      for (const [at, { name, body }] of awkwardBodies.entries()) {
        const text = ended(quoted(body)).toString('latin1').replace(/\r?\n/g, '\r\n').replaceAll('\0', '\x80');
        const [header = '', ...rest] = text.split(/^\r\n/m);
        const visible = header.replace(/^(?:Content-Length|Status|X-Status|X-Keywords|X-UID): .*\r\n/gm, '');
        expect(found[at]?.toString('latin1') === [visible, ...rest].join('\r\n'), name).toBe(true);
      }
    });

    test('a mailbox to work in, after which what is left is there by its UIDs, and more can be added', async () => {
      const { file } = await serve('writer', await newTree());
      await using client = await RawImap.open(accessTo(dovecot, 'writer'));
      await client.command('SELECT INBOX');
      await client.command('STORE 2:4 +FLAGS (\\Seen work)');
      await client.command('STORE 1,6 +FLAGS (\\Deleted)');
      await client.command('EXPUNGE');
      await client.append('INBOX', [
        {
          flags: ['\\Flagged'],
          internalDate: '20-Nov-2026 09:30:00 +0000',
          body: Buffer.from('Subject: new\r\n\r\nFrom x\r\n'),
        },
      ]);
      await client.command('CLOSE');
      const folder = await openInbox(dirname(file));
      const last = awkwardBodies.length;
      await folder.append([{ uid: last + 1, flags: [], dateMs, body: { size: 1, chunks: [Buffer.from('x')] } }]);
      const listed = await folder.list();
      const left = awkwardBodies.map((_, at) => at + 1).filter((uid) => uid !== 1 && uid !== 6);
      expect(listed.map(({ uid }) => uid)).toEqual([...left, last + 1, null]);
      expect(listed.at(-1)?.flags).toEqual(['\\Flagged']);
      expect(listed.at(-1)?.dateMs).toBe(Date.UTC(2026, 10, 20, 9, 30));
      const twin = Buffer.concat([...(await folder.read(listed[0] as never))]).toString('latin1');
      expect(twin.replace(/^(?:Status|X-\S+|Content-Length): .*\r\n/gm, '')).toBe(
        awkwardBodies[1]?.body.toString('latin1'),
      );
      await folder.close();
    });
  });
});
