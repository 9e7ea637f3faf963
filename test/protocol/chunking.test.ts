import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ImapClient } from '../../src/protocol/client.ts';
import { openScripted } from '../support/scripted-session.ts';

const capabilities = 'SASL-IR LITERAL+ MULTIAPPEND UIDPLUS NAMESPACE LIST-STATUS ID ESEARCH UNSELECT';

/** A session with something of everything. The responses stand on lines of their own, literals inside them aside. */
const transcript = `
  C: $A AUTHENTICATE PLAIN AHUAcA==
  S: $A OK [CAPABILITY IMAP4rev1 ${capabilities}] logged in
  C: $B ID NIL
  S: * ID ("name" "a \\"quoted\\" server")
  S: $B OK done
  C: $C NAMESPACE
  S: * NAMESPACE (("" "/")) NIL NIL
  S: $C OK done
  C: $D LIST "" "*" RETURN (STATUS (MESSAGES))
  S: * LIST (\\HasNoChildren) "/" INBOX
  S: * STATUS INBOX (MESSAGES 100)
  S: * LIST () "/" {9}
  S: &U,BTFw-x
  S: $D OK done
  C: $E STATUS "other" (UIDNEXT)
  S: * STATUS other (UIDNEXT 5)
  S: $E OK done
  C: $F SELECT "INBOX"
  S: * FLAGS (\\Answered \\Seen)
  S: * 100 EXISTS
  S: * OK [UIDVALIDITY 17] valid
  S: $F OK [READ-WRITE] done
  C: $G UID FETCH 5:7 (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])
  C: $H UID FETCH 8 (UID RFC822.SIZE)
  S: * 3 FETCH (UID 5 FLAGS (\\Seen) INTERNALDATE " 1-Jan-2020 00:00:00 +0000" RFC822.SIZE 30 BODY[] {30}
  S: Subject: * OK [ALERT]
  S: 
  S: {3}
  S: )
  S: * 4 FETCH (BODY[] {0}
  S:  UID 6 FLAGS () INTERNALDATE " 1-Jan-2020 00:00:00 +0000" RFC822.SIZE 0)
  S: * 6 FETCH (UID 8 RFC822.SIZE 4)
  S: * 5 FETCH (UID 7 FLAGS ($x) INTERNALDATE " 1-Jan-2020 00:00:00 +0000" RFC822.SIZE 1 BODY[] "q")
  S: $G OK done
  S: $H OK done
  C: $I UID SEARCH RETURN (ALL) SEEN
  S: * ESEARCH (TAG "$I") UID ALL 5,9:11
  S: $I OK done
  C: $J UID STORE 5 +FLAGS.SILENT (\\Flagged)
  C: $K APPEND "INBOX" {3+}
  C: one {3+}
  C: two
  S: $J OK done
  S: $K OK [APPENDUID 17 1001:1002] done
  C: $L LOGOUT
  S: * BYE bye
  S: $L OK done
`;

async function play(client: ImapClient): Promise<unknown> {
  await client.plainLogin('u', 'p');
  const results: unknown[] = [await client.id(null), await client.namespace()];
  results.push(await client.listFolders('', '*', { returnStatus: ['MESSAGES'] }));
  results.push(await client.folderStatus('other', ['UIDNEXT']), await client.selectFolder('INBOX'));
  const [messages, sizes] = await Promise.all([
    client.fetch([5, 6, 7], ['UID', 'FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'BODY.PEEK[]']),
    client.fetch([8], ['UID', 'RFC822.SIZE']),
  ]);
  results.push(
    [...messages.values()].map(({ body, ...rest }) => ({ ...rest, body: body?.toString('latin1') })),
    sizes,
  );
  results.push(await client.search('SEEN'));
  const bodies = ['one', 'two'].map((text) => ({ body: Buffer.from(text) }));
  results.push(
    ...(await Promise.all([
      client.addFlags([5], ['\\Flagged'], { silent: true }),
      client.multiappend('INBOX', bodies),
    ])),
  );
  await client.logout();
  return results;
}

async function run(script: string, chunk: (bytes: Buffer) => Buffer[]): Promise<unknown> {
  const { client, server } = await openScripted(script, { capabilities, chunk });
  const results = await play(client);
  await server.done;
  return results;
}

/** Cuts bytes into pieces of the given sizes, over and over. */
function cutter(sizes: readonly number[]): (bytes: Buffer) => Buffer[] {
  return (bytes) => {
    const chunks: Buffer[] = [];
    for (let at = 0, turn = 0; at < bytes.length; turn++) {
      const end = at + (sizes[turn % sizes.length] ?? 1);
      // A copy: the next chunk must not be found behind this one's end.
      chunks.push(Buffer.from(bytes.subarray(at, end)));
      at = end;
    }
    return chunks;
  };
}

const whole = (bytes: Buffer) => [bytes];

describe('a session gives the same results', () => {
  it('however its bytes are cut', async () => {
    const expected = await run(transcript, whole);
    for (let size = 1; size <= 40; size++) expect(await run(transcript, cutter([size]))).toEqual(expected);
    const sizes = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(sizes, async (cuts) => {
        expect(await run(transcript, cutter(cuts))).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });

  it('whatever news come in between', async () => {
    const expected = await run(transcript, whole);
    const news = [
      '* 100 EXISTS',
      '* 0 RECENT',
      '* 1 EXPUNGE',
      '* 3 FETCH (FLAGS (\\Deleted))',
      '* 3 FETCH (UID 5 FLAGS (\\Deleted))',
      '* 6 FETCH (MODSEQ (5) UID 8)',
      '* 9 FETCH (UID 99 FLAGS () RFC822.SIZE 1 INTERNALDATE " 1-Jan-2020 00:00:00 +0000" BODY[] {1}\n S: x)',
      '* STATUS elsewhere (MESSAGES 5)',
      '* OK [ALERT] read this',
      '* NO careful',
      '* XNEWS (a {1}\n S: b)',
      `* CAPABILITY IMAP4rev1 ${capabilities}`,
    ];
    const lines = transcript.split('\n');
    const starts = lines.flatMap((line, index) => (/^\s*S: (\*|\$[A-Z]) /.test(line) ? [index] : []));
    const insertions = fc.array(fc.tuple(fc.constantFrom(...starts), fc.constantFrom(...news)), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(insertions, fc.integer({ min: 1, max: 50 }), async (inserted, size) => {
        const script = lines
          .map((line, index) => {
            const before = inserted.filter(([at]) => at === index).map(([, item]) => `S: ${item}\n`);
            return before.join('') + line;
          })
          .join('\n');
        expect(await run(script, cutter([size, 7]))).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });
});
