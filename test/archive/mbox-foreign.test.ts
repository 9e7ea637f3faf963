import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileWindow } from '../../src/archive/file-window.ts';
import { parseFromDate } from '../../src/archive/mbox-from.ts';
import { scanMbox } from '../../src/archive/mbox-scan.ts';
import { openMboxStore } from '../../src/archive/mbox-store.ts';
import type { StoreFolder, TreePath } from '../../src/archive/store.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'imap-migrate-mbox-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function put(file: string, content: string): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), content, 'latin1');
}

const openTree = (at = root) => openMboxStore({ root: at, fsync: 'batch', compress: 'none', layout: 'fs' });

async function textsOf(folder: StoreFolder): Promise<string[]> {
  const texts: string[] = [];
  for (const message of await folder.list()) {
    const text = Buffer.concat([...(await folder.read(message))]).toString('latin1');
    const opened = await folder.open(message);
    const slices: Buffer[] = [];
    for await (const slice of opened.slices) slices.push(slice);
    expect(Buffer.concat(slices).toString('latin1')).toBe(text);
    expect(opened.size).toBe(text.length);
    texts.push(text);
  }
  return texts;
}

async function textsIn(path: TreePath, at = root): Promise<string[]> {
  return textsOf(await openTree(at).openFolder(path, { forWriting: false }));
}

const date = 'Fri Nov 20 09:30:00 2026';

/** A file, and the messages in it as IMAP has them. */
const dialects: Readonly<Record<string, { file: string; messages: string[] }>> = {
  mboxo: {
    file: `From a@x ${date}\nSubject: 1\n\n>From here\nx From y\n\nFrom b@x ${date}\nSubject: 2\n\nend\n`,
    messages: ['Subject: 1\r\n\r\nFrom here\r\nx From y\r\n', 'Subject: 2\r\n\r\nend\r\n'],
  },
  mboxrd: {
    file: `From a@x ${date}\nSubject: 1\n\n>From a\n>>From b\n>>>From c\n\nFrom b@x ${date}\nSubject: 2\n\nend\n\n`,
    messages: ['Subject: 1\r\n\r\nFrom a\r\n>From b\r\n>>From c\r\n', 'Subject: 2\r\n\r\nend\r\n'],
  },
  mboxcl: {
    file: `From a@x ${date}\nContent-Length: 9\nX: 1\n\n>From a\n\n\nFrom b@x ${date}\nContent-Length: 3\n\nend`,
    messages: ['Content-Length: 9\r\nX: 1\r\n\r\nFrom a\r\n\r\n', 'Content-Length: 3\r\n\r\nend'],
  },
  mboxcl2: {
    file: `From a@x ${date}\nContent-Length: 46\n\nFrom z@x ${date}\n\n>From q x\n\n\n\nFrom b@x ${date}\nContent-Length: 2\n\nb\n\n`,
    messages: [`Content-Length: 46\r\n\r\nFrom z@x ${date}\r\n\r\n>From q x\r\n\r\n`, 'Content-Length: 2\r\n\r\nb\r\n'],
  },
  'a Content-Length that leads nowhere': {
    file: `From a@x ${date}\nContent-Length: 5\n\nlonger than five\n\nFrom b@x ${date}\nContent-Length: 999\n\nb\n`,
    messages: ['Content-Length: 5\r\n\r\nlonger than five\r\n', 'Content-Length: 999\r\n\r\nb\r\n'],
  },
  'CRLF throughout': {
    file: `From - ${date}\r\nX: 1\r\n\r\n>From a\r\n\r\nFrom - ${date}\r\nX: 2\r\n\r\nb\r\n\r\n`,
    messages: ['X: 1\r\n\r\nFrom a\r\n', 'X: 2\r\n\r\nb\r\n'],
  },
  'lines without a date': {
    file: 'From \r\nX: 1\r\n\r\nFrom me\r\n\r\nFrom \r\nno field\r\n\r\nFrom -\r\nX: 2\r\n\r\nb\r\n\r\n',
    messages: ['X: 1\r\n\r\nFrom me\r\n\r\nFrom \r\nno field\r\n', 'X: 2\r\n\r\nb\r\n'],
  },
  'no empty line between messages, and headers alone': {
    file: `From a ${date}\nX: 1\nFrom b ${date}\nX: 2\n\nb\nFrom c ${date}\n\nFrom d ${date}\nFrom e ${date}\nX: 5`,
    messages: ['X: 1\r\n', 'X: 2\r\n\r\nb\r\n', '', '', 'X: 5'],
  },
  'empty lines before the first': { file: `\n\nFrom a ${date}\nX: 1\n\na\n`, messages: ['X: 1\r\n\r\na\r\n'] },
  'numbers of a program about the folder': {
    file:
      `From MAILER-DAEMON ${date}\nSubject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\nX-IMAP: 1 2\n\ntext\n\n` +
      `From a ${date}\nX-IMAP: 1\n\na\n`,
    messages: ['X-IMAP: 1\r\n\r\na\r\n'],
  },
  nothing: { file: '', messages: [] },
  'no mail at all': { file: 'just\n\ntext\nFrom me\n', messages: [] },
};

describe('an mbox of another program', () => {
  it.each(Object.entries(dialects))('is read: %s', async (_name, { file, messages }) => {
    put('x.mbox', file);
    expect(await textsIn(['x'])).toEqual(messages);
    expect(readFileSync(join(root, 'x.mbox'), 'latin1')).toBe(file);
  });

  it.each(Object.entries(dialects))('is the same through any window: %s', (_name, { file, messages }) => {
    put('x.mbox', file);
    const handle = openSync(join(root, 'x.mbox'), 'r');
    try {
      const whole = [...scanMbox(new FileWindow(handle, file.length))];
      expect(whole).toHaveLength(messages.length);
      for (let bytes = 1; bytes <= file.length; bytes++) {
        expect([...scanMbox(new FileWindow(handle, file.length, bytes))]).toEqual(whole);
      }
    } finally {
      closeSync(handle);
    }
  });

  it.each([
    ['From a@x Fri Nov 20 09:30:00 2026', '2026-11-20T09:30:00Z'],
    ['From a@x Fri Nov  6 09:30 2026', '2026-11-06T09:30:00Z'],
    ['From a@x Fri Nov 20 09:30:00 +0200 2026', '2026-11-20T07:30:00Z'],
    ['From 17@xxx Fri Nov 20 09:30:00 -0500 2026', '2026-11-20T14:30:00Z'],
    ['From a Fri Nov 20 09:30:00 2026 +0100', '2026-11-20T08:30:00Z'],
    ['From a Fri Nov 20 09:30:00 EST 2026', '2026-11-20T14:30:00Z'],
    ['From a Fri Nov 20 09:30:00 XYZ 2026 remote from b', '2026-11-20T09:30:00Z'],
    ['From "a b" Fri Jan  1 00:00:00 0050', '0050-01-01T00:00:00Z'],
  ])('has the date of its line: %s', (line, iso) => {
    expect(new Date(parseFromDate(line)).toISOString()).toBe(new Date(iso).toISOString());
  });

  it.each([
    ['Status: RO\nX-Status: AF', ['\\Seen', '\\Answered', '\\Flagged']],
    ['Status: O', []],
    ['X-Status: TD\nX-Keywords: work $Forwarded (bad    ', ['\\Draft', '\\Deleted', 'work', '$Forwarded']],
    ['X-Mozilla-Status: 0005\nX-Mozilla-Status2: 00000000', ['\\Seen', '\\Flagged']],
    [
      'X-Mozilla-Status: 100b\nX-Mozilla-Status2: 04400000',
      ['\\Seen', '\\Answered', '\\Deleted', '$Forwarded', '$MDNSent', '$label2'],
    ],
    ['X-Mozilla-Keys: $label1 holiday\t   ', ['$label1', 'holiday']],
    ['Subject: x', null],
  ])('has flags from fields of its header: %j', async (fields, flags) => {
    put('x.mbox', `From a@x ${date}\n${fields}\n\nStatus: RO\n`);
    const [message] = await (await openTree().openFolder(['x'], { forWriting: false })).list();
    expect(message?.flags === null ? null : new Set(message?.flags)).toEqual(flags === null ? null : new Set(flags));
  });

  it('is a folder of Thunderbird’s tree', async () => {
    const mail = (name: string) => `From - ${date}\r\nSubject: ${name}\r\n\r\n${name}\r\n\r\n`;
    put('Inbox', mail('inbox'));
    put('Inbox.msf', '// index');
    put('Inbox.sbd/Work', mail('work'));
    put('Inbox.sbd/Work.sbd/2024', mail('2024'));
    put('Trash', '');
    put('Trash.msf', '// index');
    put('filterlog.html', 'From me');
    put('msgFilterRules.dat', 'version="9"');
    put('popstate', '');
    const folders = await openTree().listFolders();
    expect(folders.map(({ path }) => path.join('/')).sort()).toEqual([
      'INBOX',
      'INBOX/Work',
      'INBOX/Work/2024',
      'Trash',
    ]);
    expect(await textsIn(['INBOX', 'Work', '2024'])).toEqual(['Subject: 2024\r\n\r\n2024\r\n']);
  });

  it('is a tree by itself', async () => {
    put('mail/old letters.mbox', `From a@x ${date}\nX: 1\n\na\n`);
    put('mail/other.mbox', `From a@x ${date}\nX: 1\n\na\n`);
    const file = join(root, 'mail/old letters.mbox');
    expect(await openTree(file).listFolders()).toEqual([{ path: ['old letters'], holdsMessages: true }]);
    expect(await textsIn(['old letters'], file)).toEqual(['X: 1\r\n\r\na\r\n']);
    await expect(openTree(file).openFolder(['old letters'], { forWriting: true })).rejects.toMatchObject({
      code: 'TREE',
    });
    await expect(openTree(file).createFolder(['new'])).rejects.toMatchObject({ code: 'TREE' });
  });
});

describe('Google Takeout', () => {
  const all = 'Mail/All mail Including Spam and Trash.mbox';
  const takeout = (labels: readonly (string | null)[]) =>
    labels
      .map((label, at) => {
        const field = label === null ? '' : `X-Gmail-Labels: ${label}\r\n`;
        return `From ${at}@xxx Fri Nov 20 09:30:00 +0000 2026\r\nX-GM-THRID: ${at}\r\n${field}\r\nbody ${at}\r\n\r\n`;
      })
      .join('');

  it('puts each message into one folder, and makes its other labels keywords', async () => {
    put(
      all,
      takeout([
        'Inbox,Unread',
        'Inbox,Opened,Starred,Important,Work/Big Client,Category Updates',
        'Archived,Opened',
        'Sent,Work/Big Client,Opened',
        'Work/Big Client,Other,Opened',
        'Trash,Inbox,Unread',
        'Drafts',
        'Spam,Unread',
        '=?UTF-8?Q?Archived,=C3=9Cber=\r\n_uns?='.replace('=\r\n', '?=\r\n =?UTF-8?Q?'),
        null,
      ]),
    );
    const store = openTree();
    const found: Record<string, [number, string[]][]> = {};
    for (const { path, holdsMessages } of await store.listFolders()) {
      if (!holdsMessages) continue;
      const folder = await store.openFolder(path, { forWriting: false });
      const texts = await textsOf(folder);
      found[path.join('/')] = (await folder.list()).map((message, at) => [
        Number(/body (\d+)/.exec(texts[at] ?? '')?.[1]),
        [...(message.flags ?? [])].sort(),
      ]);
    }
    expect(found).toEqual({
      INBOX: [
        [0, []],
        [1, ['$Important', 'Category_Updates', 'Work/Big_Client', '\\Flagged', '\\Seen']],
      ],
      Archive: [
        [2, ['\\Seen']],
        [9, ['\\Seen']],
      ],
      Sent: [[3, ['Work/Big_Client', '\\Seen']]],
      'Work/Big Client': [[4, ['Other', '\\Seen']]],
      Other: [],
      Trash: [[5, ['INBOX']]],
      Drafts: [[6, ['\\Draft', '\\Seen']]],
      Spam: [[7, ['$Junk']]],
      'Über uns': [[8, ['\\Seen']]],
    });
    await expect(store.openFolder(['INBOX'], { forWriting: true })).rejects.toMatchObject({ code: 'TREE' });
  });
});
