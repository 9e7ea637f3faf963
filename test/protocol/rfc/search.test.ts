import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseThreads, type Thread } from '../../../src/protocol/commands/thread.ts';
import { CapabilityError, ImapError, UsageError } from '../../../src/protocol/errors.ts';
import { cutAt } from '../../support/chunking.ts';
import { playDialogues } from '../../support/dialogue.ts';
import { openScripted, rejection, selecting } from '../../support/scripted-session.ts';
import { readValueOf, valueLine } from '../../support/values.ts';

describe('RFC 4731: ESEARCH', () => {
  playDialogues([
    {
      name: 'least, greatest, count and all (3.1)',
      capabilities: 'ESEARCH',
      transcript: `${selecting()}
        C: $A SEARCH RETURN (MIN COUNT) FLAGGED SINCE 1-Feb-1994 NOT FROM "Smith"
        S: * ESEARCH (TAG "$A") MIN 2 COUNT 3
        S: $A OK SEARCH completed
        C: $B UID SEARCH RETURN (MAX ALL) FLAGGED
        S: * ESEARCH (TAG "$B") UID ALL 17,900,901 MAX 901
        S: $B OK SEARCH completed
        C: $C SEARCH RETURN (MIN MAX COUNT ALL) TEXT "x y"
        S: * ESEARCH (TAG "$C") COUNT 0
        S: $C OK SEARCH completed`,
      run: async (client) => {
        await client.selectFolder('INBOX');
        const criteria = ['FLAGGED', 'SINCE', new Date(Date.UTC(1994, 1, 1)), 'NOT', 'FROM', Buffer.from('Smith')];
        return [
          await client.searchExtended(criteria, { min: true, count: true }, { useUid: false }),
          await client.searchExtended('FLAGGED', { all: true, max: true }),
          await client.searchExtended(
            ['TEXT', 'x y'],
            { min: true, max: true, count: true, all: true },
            { useUid: false },
          ),
        ];
      },
      result: [{ min: 2, count: 3 }, { all: Uint32Array.of(17, 900, 901), max: 901 }, { count: 0 }],
    },
    {
      name: 'with mod-sequences (3.2), and news in between that change nothing',
      capabilities: 'ESEARCH CONDSTORE',
      transcript: `${selecting()}
        C: $A SEARCH RETURN (MAX) MODSEQ 1236423423 OR SEEN (ANSWERED 1:5)
        S: * 101 EXISTS
        S: * ESEARCH (TAG "other") MAX 9
        S: * ESEARCH (TAG "$A") MAX 7 MODSEQ 1236423423 X-NEW (1 (2 3))
        S: * SEARCH 9
        S: $A OK done`,
      run: async (client) => {
        await client.selectFolder('INBOX');
        const criteria = ['MODSEQ', 1236423423n, 'OR', 'SEEN', ['ANSWERED', '1:5']];
        return await client.searchExtended(criteria, { max: true }, { useUid: false });
      },
      result: { max: 7, modSeq: 1236423423n },
    },
  ]);

  it('an ordinary search on a server with ESEARCH costs ranges, not numbers', async () => {
    const { client, server } = await openScripted(
      `${selecting()}
      C: $A UID SEARCH RETURN (ALL) OR (FROM "a b" UNSEEN) (BEFORE 2-Jan-2020)
      S: * ESEARCH (TAG "$A") UID ALL 5,1:3
      S: $A OK done`,
      { capabilities: 'ESEARCH' },
    );
    await client.selectFolder('INBOX');
    const criteria = ['OR', ['FROM', 'a b', 'UNSEEN'], ['BEFORE', new Date(Date.UTC(2020, 0, 2))]];
    expect([...(await client.search(criteria))]).toEqual([1, 2, 3, 5]);
    await server.done;
  });
});

describe('RFC 5182: SEARCHRES', () => {
  playDialogues([
    {
      name: 'a saved result is named by $ in the commands that follow (2.4, example 1)',
      capabilities: 'ESEARCH SEARCHRES',
      transcript: `${selecting()}
        C: $A UID SEARCH RETURN (SAVE) SINCE 1-Feb-1994 NOT FROM "Smith"
        S: $A OK SEARCH completed, result saved
        C: $B UID FETCH $ (UID FLAGS)
        S: * 2 FETCH (UID 14 FLAGS (\\Seen))
        S: $B OK done
        C: $C UID SEARCH RETURN (COUNT SAVE) $ SMALLER 4096
        S: * ESEARCH (TAG "$C") UID COUNT 0
        S: $C OK done
        C: $D UID COPY $ "Archive"
        S: $D OK done`,
      run: async (client) => {
        await client.selectFolder('INBOX');
        const criteria = ['SINCE', new Date(Date.UTC(1994, 1, 1)), 'NOT', 'FROM', Buffer.from('Smith')];
        const saved = await client.searchExtended(criteria, { save: true });
        const fetched = await client.fetch('$', ['UID', 'FLAGS']);
        const counted = await client.searchExtended(['$', 'SMALLER', 4096], { save: true, count: true });
        return [saved, [...fetched.keys()], counted, await client.copy('$', 'Archive')];
      },
      result: [{}, [14], { count: 0 }, null],
    },
  ]);
});

describe('RFC 9394: PARTIAL', () => {
  playDialogues([
    {
      name: 'a stretch of a search (3.1) and of a fetch (3.4)',
      capabilities: 'ESEARCH PARTIAL CONDSTORE',
      transcript: `${selecting()}
        C: $A UID SEARCH RETURN (PARTIAL -1:-100) UNDELETED
        S: * ESEARCH (TAG "$A") UID PARTIAL (-1:-100 200:201,252)
        S: $A OK SEARCH completed.
        C: $B UID SEARCH RETURN (COUNT PARTIAL 23500:24000) FLAGGED
        S: * ESEARCH (TAG "$B") UID PARTIAL (23500:24000 NIL) COUNT 74
        S: $B OK done
        C: $C UID FETCH 25900:26600 (UID FLAGS) (CHANGEDSINCE 98305 PARTIAL -1:-30)
        S: * 12888 FETCH (UID 25996 FLAGS (\\Seen) MODSEQ (98306))
        S: $C OK FETCH completed`,
      run: async (client) => {
        await client.selectFolder('INBOX');
        const last = await client.searchExtended('UNDELETED', { partial: [-1, -100] });
        const beyond = await client.searchExtended('FLAGGED', { count: true, partial: [23500, 24000] });
        const options = { partial: [-1, -30], changedSince: 98305n } as const;
        return [last, beyond, [...(await client.fetch('25900:26600', ['UID', 'FLAGS'], options)).keys()]];
      },
      result: [{ partial: Uint32Array.of(200, 201, 252) }, { partial: null, count: 74 }, [25996]],
    },
  ]);

  it.each<readonly [number, number]>([
    [0, 5],
    [1, -5],
    [1.5, 2],
    [1, 2 ** 32],
  ])('refuses the range %d:%d before anything is sent', async (from, to) => {
    const { client, server } = await openScripted(selecting(), { capabilities: 'ESEARCH PARTIAL' });
    await client.selectFolder('INBOX');
    expect(await rejection(client.searchExtended('ALL', { partial: [from, to] }))).toBeInstanceOf(UsageError);
    expect(await rejection(client.fetch('1:*', 'FLAGS', { partial: [from, to] }))).toBeInstanceOf(UsageError);
    expect(server.unexpected).toBe('');
  });
});

describe('RFC 5256: SORT and THREAD', () => {
  playDialogues([
    {
      name: 'messages come in the order asked for (3)',
      capabilities: 'SORT',
      transcript: `${selecting()}
        C: $A SORT (SUBJECT) UTF-8 SINCE 1-Feb-1994
        S: * SORT 2 84 82 882
        S: $A OK SORT completed
        C: $B UID SORT (SUBJECT REVERSE DATE) US-ASCII ALL
        S: * SORT 5 3 4 1 2
        S: $B OK SORT completed
        C: $C UID SORT (ARRIVAL) UTF-8 TEXT "not in mailbox"
        S: * SORT
        S: $C OK SORT completed`,
      run: async (client) => {
        await client.selectFolder('INBOX');
        return [
          await client.sort('SUBJECT', ['SINCE', new Date(Date.UTC(1994, 1, 1))], { useUid: false }),
          await client.sort(['SUBJECT', 'REVERSE', 'DATE'], 'ALL', { charset: 'US-ASCII' }),
          await client.sort('ARRIVAL', ['TEXT', 'not in mailbox']),
        ];
      },
      result: [Uint32Array.of(2, 84, 82, 882), Uint32Array.of(5, 3, 4, 1, 2), new Uint32Array(0)],
    },
    {
      name: 'conversations come as trees (4)',
      capabilities: 'THREAD=ORDEREDSUBJECT THREAD=REFERENCES',
      transcript: `${selecting()}
        C: $A UID THREAD ORDEREDSUBJECT UTF-8 SINCE 5-MAR-2000
        S: * THREAD (166)(167)(168)(169)(172)(170)(171)(173)(174 (175)(176)(178)(181)(180))(179)
        S: $A OK THREAD completed
        C: $B UID THREAD REFERENCES UTF-8 ALL
        S: * THREAD (2)(3 6 (4 23)(44 7 96)) ((3)(5))
        S: $B OK THREAD completed
        C: $C THREAD REFERENCES US-ASCII TEXT "gewp"
        S: * THREAD
        S: $C OK THREAD completed`,
      run: async (client) => {
        await client.selectFolder('INBOX');
        return [
          await client.thread('ORDEREDSUBJECT', 'SINCE 5-MAR-2000'),
          await client.thread(),
          await client.thread('REFERENCES', ['TEXT', Buffer.from('gewp')], { charset: 'US-ASCII', useUid: false }),
        ];
      },
      result: [
        [[166], [167], [168], [169], [172], [170], [171], [173], [174, [175], [176], [178], [181], [180]], [179]],
        [[2], [3, 6, [4, 23], [44, 7, 96]], [[3], [5]]],
        [],
      ],
    },
  ]);

  it('are not asked of a server that does not offer them', async () => {
    const { client } = await openScripted(selecting(), { capabilities: 'THREAD=ORDEREDSUBJECT' });
    await client.selectFolder('INBOX');
    expect(await rejection(client.sort('DATE'))).toBeInstanceOf(CapabilityError);
    expect(await rejection(client.thread('REFERENCES'))).toBeInstanceOf(CapabilityError);
  });

  it('refuses keys that are no words', async () => {
    const { client, server } = await openScripted(selecting(), { capabilities: 'SORT' });
    await client.selectFolder('INBOX');
    for (const keys of [[], ['DATE)'], ['A B'], ['']]) {
      expect(await rejection(client.sort(keys))).toBeInstanceOf(UsageError);
    }
    expect(server.unexpected).toBe('');
  });
});

describe('parseThreads', () => {
  const limits = { maxHits: 1000, maxDepth: 50 };
  const read = (chunks: readonly Buffer[]) => readValueOf(chunks, (lexer) => parseThreads(lexer, limits));

  it.each(['1', '(1', ')', '(1))', '(x)', '("1")'])('refuses %j', (text) => {
    expect(() => read([valueLine(text)])).toThrow(expect.objectContaining({ code: 'PROTOCOL' }));
  });

  it('bounds entries and depth', () => {
    const limit = expect.objectContaining({ code: 'LIMIT' });
    expect(() => read([valueLine('('.repeat(100_000))])).toThrow(limit);
    expect(() => read([valueLine(`(${'1 '.repeat(1000)})`)])).toThrow(limit);
  });

  it('property: what is written is read back at any chunking, and damage ends in an error of ours', () => {
    const { thread } = fc.letrec<{ thread: Thread }>((tie) => ({
      thread: fc.array(fc.oneof({ maxDepth: 4 }, fc.integer({ min: 1, max: 0xffff_ffff }), tie('thread')), {
        maxLength: 5,
      }),
    }));
    const write = (one: Thread): string =>
      `(${one.map((part) => (typeof part === 'number' ? part : write(part))).join(' ')})`;
    fc.assert(
      fc.property(fc.array(thread, { maxLength: 5 }), fc.array(fc.nat({ max: 999 })), (threads, cuts) => {
        const bytes = valueLine(threads.map(write).join(''));
        const offsets = cuts.map((cut) => Math.min(cut, bytes.length));
        expect(read(cutAt(bytes, offsets))).toEqual(threads);
        for (const cut of offsets) bytes[cut] = 0x28;
        try {
          read([bytes]);
        } catch (error) {
          if (!(error instanceof ImapError) && !/has no value/.test(String(error))) throw error;
        }
      }),
    );
  });
});

describe('search', () => {
  playDialogues([
    {
      name: 'takes text as it is, typed parts, and other scripts as literals with their charset',
      capabilities: 'LITERAL+',
      transcript: `${selecting()}
        C: $A UID SEARCH CHARSET UTF-8 SUBJECT {4+}
        C: \xe2\x98\x85a NOT (SEEN FROM "a \\"b\\"")
        S: * SEARCH 5 3
        S: $A OK done
        C: $B SEARCH UNSEEN SINCE 1-Feb-1994
        S: * SEARCH
        S: $B OK done
        C: $C UID SEARCH UID 1:3,9 LARGER 100
        S: * SEARCH 1
        S: * SEARCH 2
        S: $C OK done`,
      run: async (client) => {
        await client.selectFolder('INBOX');
        return [
          [...(await client.search(['SUBJECT', '★a', 'NOT', ['SEEN', 'FROM', 'a "b"']]))],
          [...(await client.search('UNSEEN SINCE 1-Feb-1994', { useUid: false }))],
          [...(await client.search(['UID', Uint32Array.of(1, 2, 3, 9), 'LARGER', 100]))],
        ];
      },
      result: [[3, 5], [], [1, 2]],
    },
    {
      name: 'in the words of Gmail',
      capabilities: 'X-GM-EXT-1 LITERAL+',
      transcript: `${selecting()}
        C: $A UID SEARCH X-GM-RAW "has:attachment in:unread"
        S: * SEARCH 7
        S: $A OK done
        C: $B UID SEARCH CHARSET UTF-8 X-GM-RAW {2+}
        C: \xc3\xa9
        S: * SEARCH
        S: $B OK done`,
      run: async (client) => {
        await client.selectFolder('INBOX');
        return [[...(await client.gmailSearch('has:attachment in:unread'))], [...(await client.gmailSearch('é'))]];
      },
      result: [[7], []],
    },
  ]);

  it.each(['A\r\nB LOGOUT', 'SUBJECT "é"', 'TEXT {5}', 'TEXT {5+}', '', 'a\0'])(
    'refuses the text %j before anything is sent',
    async (text) => {
      const { client, server } = await openScripted(selecting());
      await client.selectFolder('INBOX');
      expect(await rejection(client.search(text))).toBeInstanceOf(UsageError);
      expect(server.unexpected).toBe('');
    },
  );
});
