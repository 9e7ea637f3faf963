import { describe, expect, it } from 'vitest';
import { ImapClient } from '../../src/protocol/client.ts';
import { ImapError, UsageError } from '../../src/protocol/errors.ts';
import { createMemoryPair } from '../../src/protocol/transport-memory.ts';
import { ManualClock, turns } from '../../src/testing/index.ts';

const capabilities =
  'LITERAL+ SASL-IR ID ENABLE IDLE NAMESPACE UIDPLUS UNSELECT MULTIAPPEND MOVE LIST-EXTENDED LIST-STATUS SPECIAL-USE ' +
  'CREATE-SPECIAL-USE QRESYNC ESEARCH SEARCHRES PARTIAL SORT THREAD=REFERENCES QUOTA ACL METADATA ANNOTATEMORE NOTIFY ' +
  'XLIST X-GM-EXT-1 BINARY';

/** Every method that takes text, given `text` wherever it takes some. */
const calls: Readonly<Record<string, (client: ImapClient, text: string) => Promise<unknown>>> = {
  login: (client, text) => client.login(text, text),
  plainLogin: (client, text) => client.plainLogin(text, text, text),
  oauth2Login: (client, text) => client.oauth2Login(text, text, { vendor: text }),
  oauthbearerLogin: (client, text) => client.oauthbearerLogin(text, text, { host: text }),
  externalLogin: (client, text) => client.externalLogin(text),
  saslLogin: (client, text) => client.saslLogin(text, () => ''),
  proxyauth: (client, text) => client.proxyauth(text),
  id: (client, text) => client.id({ [text]: text }),
  enable: (client, text) => client.enable(text),
  listFolders: (client, text) => client.listFolders(text, [text, text]),
  'listFolders with status': (client, text) => client.listFolders('', '*', { returnStatus: [text as never] }),
  listSubFolders: (client, text) => client.listSubFolders(text, text),
  xlistFolders: (client, text) => client.xlistFolders(text, text),
  folderExists: (client, text) => client.folderExists(text),
  folderStatus: (client, text) => client.folderStatus(text, [text as never]),
  selectFolder: (client, text) => client.selectFolder(text),
  'selectFolder with uids': (client, text) =>
    client.selectFolder('x', { qresync: { uidValidity: 1, modSeq: 1n, knownUids: text } }),
  createFolder: (client, text) => client.createFolder(text, { specialUse: [text] }),
  deleteFolder: (client, text) => client.deleteFolder(text),
  renameFolder: (client, text) => client.renameFolder(text, text),
  subscribeFolder: (client, text) => client.subscribeFolder(text),
  unsubscribeFolder: (client, text) => client.unsubscribeFolder(text),
  getacl: (client, text) => client.getacl(text),
  setacl: (client, text) => client.setacl(text, text, text),
  deleteacl: (client, text) => client.deleteacl(text, text),
  myrights: (client, text) => client.myrights(text),
  listrights: (client, text) => client.listrights(text, text),
  getQuotaRoot: (client, text) => client.getQuotaRoot(text),
  getQuota: (client, text) => client.getQuota(text),
  setQuota: (client, text) => client.setQuota(text, { [text]: 1 }),
  getMetadata: (client, text) => client.getMetadata(text, text),
  setMetadata: (client, text) => client.setMetadata(text, { '/private/a': text }),
  getannotation: (client, text) => client.getannotation(text, text, text),
  setannotation: (client, text) => client.setannotation(text, text, { [text]: text }),
  notify: (client, text) => client.notify([{ folders: { mailboxes: [text] }, events: [text as never] }]),
  command: (client, text) => client.command(text),
  'command with arguments': (client, text) => client.command('X', text, [text, { kind: 'atom', text }]),
  fetch: (client, text) => client.fetch(text, text),
  'fetch of an item': (client, text) => client.fetch(1, [text]),
  'fetch of a section': (client, text) => client.fetch(1, `BODY[HEADER.FIELDS (${text})]`),
  search: (client, text) => client.search(text),
  'search with a list': (client, text) => client.search(['SUBJECT', text, [text]], { charset: text }),
  searchExtended: (client, text) => client.searchExtended([text], { all: true }),
  gmailSearch: (client, text) => client.gmailSearch(text),
  sort: (client, text) => client.sort([text], [text], { charset: text }),
  thread: (client, text) => client.thread('REFERENCES', [text], { charset: text }),
  addFlags: (client, text) => client.addFlags(1, [text]),
  'addFlags to a set': (client, text) => client.addFlags(text, ['x']),
  addGmailLabels: (client, text) => client.addGmailLabels(1, [text]),
  copy: (client, text) => client.copy(text, text),
  move: (client, text) => client.move(1, text),
  uidExpunge: (client, text) => client.uidExpunge(text),
  append: (client, text) => client.append(text, { body: 'x', flags: [text], internalDate: text }),
  'append to a folder': (client, text) => client.append(text, text),
};

const greeting = `* OK [CAPABILITY IMAP4rev1 ${capabilities}] ready\r\n`;
const selected = '* 9 EXISTS\r\n* FLAGS ()\r\n';

/** What a client sends for one call, in a session with a selected folder. */
async function sentFor(call: (client: ImapClient) => Promise<unknown>): Promise<{ sent: string; error: unknown }> {
  const [transport, server] = createMemoryPair();
  let sent = '';
  const handlers = { onDrain: () => {}, onClose: () => {} };
  server.start({
    ...handlers,
    onData: (chunk) => {
      sent += chunk.toString('latin1');
    },
  });
  server.write([Buffer.from(greeting)]);
  const client = await ImapClient.connect({ host: 'x', transport, clock: new ManualClock() });
  const selecting = client.selectFolder('INBOX');
  const enabling = client.enable('QRESYNC');
  await turns(5);
  server.write([Buffer.from(`${selected}${sent.slice(0, sent.indexOf(' '))} OK done\r\n`)]);
  await selecting;
  await turns(5);
  const [, tag = ''] = sent.split('\r\n').map((line) => line.split(' ')[0] ?? '');
  server.write([Buffer.from(`* ENABLED QRESYNC\r\n${tag} OK done\r\n`)]);
  await enabling;
  sent = '';
  let error: unknown = null;
  const called = call(client).catch((cause: unknown) => {
    error = cause;
  });
  await turns(5);
  const refused = error;
  client.close();
  await called;
  return { sent, error: refused };
}

/** The command without the bytes of its literals. */
function withoutLiterals(sent: string): string {
  let rest = sent;
  let kept = '';
  for (;;) {
    const marker = /\{(\d+)\+?\}\r\n/.exec(rest);
    if (marker === null) return kept + rest;
    kept += rest.slice(0, marker.index);
    rest = rest.slice(marker.index + marker[0].length + Number(marker[1]));
  }
}

describe('no argument ends a command or begins another', () => {
  const evils = [
    'x\r\nA1 LOGOUT',
    'x\nA1 LOGOUT',
    'x\rA1 LOGOUT',
    'a\0b',
    '\r\n',
    'x {3}\r\nabc',
    '"x" y) (',
    '\ud800',
    '',
  ];

  it.each(Object.keys(calls))('%s', async (name) => {
    const call = calls[name] as (client: ImapClient, text: string) => Promise<unknown>;
    for (const evil of evils) {
      const { sent, error } = await sentFor((client) => call(client, evil));
      if (error !== null) {
        expect(error, `${name} with ${JSON.stringify(evil)}`).toBeInstanceOf(ImapError);
        expect(error).toBeInstanceOf(UsageError);
        expect(sent).toBe('');
        continue;
      }
      const line = withoutLiterals(sent);
      const lineEnds = line === '' ? 0 : 1;
      expect([line.split(/[\r\n]/).length - 1, line.endsWith('\r\n')], sent).toEqual([2 * lineEnds, lineEnds === 1]);
      expect(line).not.toMatch(/\0/);
    }
  });
});
