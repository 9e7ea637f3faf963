import { ImapClient } from '../../src/protocol/client.ts';
import { createMemoryPair } from '../../src/protocol/transport-memory.ts';
import { ManualClock, turns } from '../../src/testing/index.ts';

const capabilities =
  'LITERAL+ ID ENABLE NAMESPACE UIDPLUS MULTIAPPEND MOVE LIST-EXTENDED LIST-STATUS LIST-MYRIGHTS QRESYNC ESEARCH PARTIAL ' +
  'SORT THREAD=REFERENCES QUOTA ACL METADATA ANNOTATEMORE NOTIFY XLIST X-GM-EXT-1';

const envelope =
  '("Wed, 17 Jul 1996 02:23:25 -0700" "=?utf-8?q?s=C3=A9?=" (("A" NIL "a" "h")) NIL NIL ((NIL NIL "g" NIL)(NIL NIL NIL NIL)) NIL NIL NIL "<m>")';
const structure =
  '(("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "7BIT" 1 1 NIL ("inline" NIL) "en" NIL)' +
  `("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 9 ${envelope} ("TEXT" "HTML" NIL NIL NIL "7BIT" 1 1) 3) "MIXED" ("B" "x") NIL NIL)`;
const message =
  `* 1 FETCH (UID 1 FLAGS (\\Seen $x) INTERNALDATE "17-Jul-1996 02:44:25 -0700" RFC822.SIZE 5 MODSEQ (7) ENVELOPE ${envelope} ` +
  `BODYSTRUCTURE ${structure} EMAILID (M1) THREADID NIL X-GM-LABELS (\\Inbox "a b") SAVEDATE NIL PREVIEW "p" BODY[] {5}\r\nhello ` +
  'BODY[1.2]<0> "x" BINARY.SIZE[1] 3 X-NEW (1 (2 "x")))';

/** Calls, and an answer to each as an honest server gives it. `$T` stands for the command's tag. */
export const answers: Readonly<Record<string, { call: (client: ImapClient) => Promise<unknown>; answer: string }>> = {
  fetch: {
    call: (client) => client.fetch(1, ['UID', 'FLAGS', 'ENVELOPE', 'BODYSTRUCTURE', 'BODY[]']),
    answer: message,
  },
  fetchStream: {
    call: async (client) => {
      for await (const { body } of client.fetchStream(1, ['BODY[]'])) await body?.toBuffer();
    },
    answer: message,
  },
  namespace: { call: (client) => client.namespace(), answer: '* NAMESPACE (("" "/")) NIL (("#" "." "X" ("Y")))' },
  listFolders: {
    call: (client) =>
      client.listFolders('', '*', { returnStatus: ['MESSAGES'], returnMyRights: true, subscribed: true }),
    answer:
      '* LIST (\\Marked) "/" "&AOk-" ("CHILDINFO" ("SUBSCRIBED"))\r\n* STATUS "&AOk-" (MESSAGES 3 MAILBOXID (F1))\r\n' +
      '* MYRIGHTS {5}\r\n&AOk- lrs',
  },
  folderStatus: {
    call: (client) => client.folderStatus('x', ['MESSAGES', 'HIGHESTMODSEQ', 'APPENDLIMIT']),
    answer: '* STATUS x (MESSAGES 3 HIGHESTMODSEQ 7 APPENDLIMIT NIL)',
  },
  selectFolder: {
    call: (client) => client.selectFolder('x', { qresync: { uidValidity: 1, modSeq: 1n } }),
    answer:
      '* OK [CLOSED] gone\r\n* 9 EXISTS\r\n* FLAGS (\\Seen)\r\n* OK [UIDVALIDITY 5] v\r\n* OK [PERMANENTFLAGS (\\*)] p\r\n' +
      '* OK [MAILBOXID (F1)] m\r\n* VANISHED (EARLIER) 1:3,7\r\n* 1 FETCH (UID 4 FLAGS () MODSEQ (9))',
  },
  search: { call: (client) => client.search('ALL'), answer: '* ESEARCH (TAG "$T") UID ALL 1:3,7 MODSEQ 5' },
  searchExtended: {
    call: (client) => client.searchExtended('ALL', { min: true, partial: [1, 5] }),
    answer: '* ESEARCH (TAG "$T") UID MIN 1 PARTIAL (1:5 1:3,7)',
  },
  sort: { call: (client) => client.sort('DATE'), answer: '* SORT 3 1 2 (MODSEQ 4)' },
  thread: { call: (client) => client.thread(), answer: '* THREAD (2)(3 6 (4 23)(44 7 96))' },
  addFlags: {
    call: (client) => client.addFlags(1, ['x'], { unchangedSince: 5n }),
    answer: '* 1 FETCH (UID 1 FLAGS (x) MODSEQ (6))',
  },
  move: { call: (client) => client.move(1, 'x'), answer: '* OK [COPYUID 7 1 9] moved\r\n* 1 EXPUNGE\r\n* VANISHED 1' },
  expunge: { call: (client) => client.expunge(), answer: '* 1 EXPUNGE\r\n* VANISHED 1:3' },
  id: { call: (client) => client.id(null), answer: '* ID ("name" "x" "os" NIL)' },
  capabilities: {
    call: (client) => client.noop(),
    answer: '* CAPABILITY IMAP4rev1 IDLE\r\n* OK [ALERT] now\r\n* 3 RECENT',
  },
  getacl: { call: (client) => client.getacl('x'), answer: '* ACL x fred lrs "-any one" r' },
  listrights: { call: (client) => client.listrights('x', 'y'), answer: '* LISTRIGHTS x y l r s' },
  getQuotaRoot: {
    call: (client) => client.getQuotaRoot('x'),
    answer: '* QUOTAROOT x "" root\r\n* QUOTA root (STORAGE 1 2 MESSAGE 3 4)',
  },
  getMetadata: {
    call: (client) => client.getMetadata('x', '/private/a'),
    answer: '* METADATA x (/private/a {2}\r\nhi /private/b NIL)\r\n* METADATA x /private/c',
  },
  getannotation: {
    call: (client) => client.getannotation('x', '/a', 'b'),
    answer: '* ANNOTATION x /a ("value.shared" "x" "size.shared" NIL)',
  },
  notify: {
    call: (client) => client.notify(null),
    answer: '* LIST (\\NonExistent) "." x\r\n* STATUS y (MESSAGES 3)\r\n* VANISHED (EARLIER) 3:7',
  },
  command: {
    call: (client) => client.command('X'),
    answer: '* X (1 "two" NIL) {2}\r\nhi\r\n* 7 Y\r\n* 2 FETCH (FLAGS ())',
  },
};

/** What an honest server says to a call, its tag as `$T`. */
export function honestAnswer(name: string): string {
  return `${answers[name]?.answer ?? ''}\r\n$T OK [MODIFIED 1] done\r\n`;
}

/** How a call ended, and the tag it had. */
export interface Played {
  readonly outcome: PromiseSettledResult<unknown>;
  readonly tag: string;
}

/** Plays one call against an answer in which `$T` stands for the tag where a tag is due, in the chunks that `cut` makes of it, and hangs up. */
export async function playAnswer(
  name: string,
  answer: Buffer,
  cut: (bytes: Buffer) => readonly Buffer[],
): Promise<Played> {
  const [transport, server] = createMemoryPair();
  let sent = '';
  server.start({
    onDrain: () => {},
    onClose: () => {},
    onData: (chunk) => {
      sent += chunk.toString('latin1');
    },
  });
  server.write([Buffer.from(`* OK [CAPABILITY IMAP4rev1 ${capabilities}] ready\r\n`)]);
  const client = await ImapClient.connect({ host: 'x', transport, clock: new ManualClock() });
  const selecting = client.selectFolder('INBOX');
  const enabling = client.enable('QRESYNC');
  await turns(2);
  server.write([Buffer.from(`* 9 EXISTS\r\n* FLAGS ()\r\n${sent.split(' ', 1)[0]} OK done\r\n`)]);
  await selecting;
  await turns(2);
  server.write([Buffer.from(`* ENABLED QRESYNC\r\n${sent.split('\r\n')[1]?.split(' ', 1)[0]} OK done\r\n`)]);
  await enabling;
  sent = '';
  const ending = Promise.allSettled([(answers[name] as (typeof answers)[string]).call(client)]);
  await turns(2);
  const tag = sent.split(' ', 1)[0] ?? '';
  const bytes = Buffer.from(
    answer.toString('latin1').replaceAll('$T', () => tag),
    'latin1',
  );
  for (const chunk of cut(bytes)) server.write([chunk]);
  await turns(2);
  server.close();
  const [outcome] = await ending;
  return { outcome, tag };
}
