import { describe, expect, it } from 'vitest';
import { CommandError, UsageError } from '../../../src/protocol/errors.ts';
import { playDialogues } from '../../support/dialogue.ts';
import { openScripted, rejection, selecting } from '../../support/scripted-session.ts';

describe('RFC 7162: CONDSTORE', () => {
  playDialogues([
    {
      name: 'SELECT tells the highest mod-sequence (3.1.2.1), or that there are none (3.1.2.2)',
      capabilities: 'CONDSTORE',
      transcript: `
        C: $A SELECT "INBOX" (CONDSTORE)
        S: * 172 EXISTS
        S: * 1 RECENT
        S: * OK [UNSEEN 12] Message 12 is first unseen
        S: * OK [UIDVALIDITY 3857529045] UIDs valid
        S: * OK [UIDNEXT 4392] Predicted next UID
        S: * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)
        S: * OK [PERMANENTFLAGS (\\Deleted \\Seen \\*)] Limited
        S: * OK [HIGHESTMODSEQ 715194045007] Highest
        S: $A OK [READ-WRITE] SELECT completed
        C: $B SELECT "other" (CONDSTORE)
        S: * OK [CLOSED] Previous mailbox closed
        S: * 0 EXISTS
        S: * FLAGS ()
        S: * OK [NOMODSEQ] Sorry
        S: $B OK [READ-WRITE] done
        C: $C STATUS "blurdybloop" (UIDNEXT HIGHESTMODSEQ)
        S: * STATUS blurdybloop (UIDNEXT 44292 HIGHESTMODSEQ 7011231777)
        S: $C OK done`,
      run: async (client) => {
        const inbox = await client.selectFolder('INBOX', { condStore: true });
        const other = await client.selectFolder('other', { condStore: true });
        const status = await client.folderStatus('blurdybloop', ['UIDNEXT', 'HIGHESTMODSEQ']);
        return [inbox.highestModSeq, inbox.unseen, other.highestModSeq, other.noModSeq, status];
      },
      result: [715194045007n, 12, null, true, { uidNext: 44292, highestModSeq: 7011231777n }],
    },
    {
      name: 'changes are made only to what has not changed (3.1.3, examples 5, 6 and 8)',
      capabilities: 'CONDSTORE',
      transcript:
        `${selecting(100)}
        C: $A UID STORE 6,4,8 (UNCHANGEDSINCE 12121230045) +FLAGS.SILENT (\\Deleted)`.replace('6,4,8', '4,6,8') +
        `
        S: * 1 FETCH (UID 4 MODSEQ (12121231000))
        S: * 2 FETCH (UID 6 MODSEQ (12121230852))
        S: * 4 FETCH (UID 8 MODSEQ (12121130956))
        S: $A OK Conditional Store completed
        C: $B STORE 7,5,9 (UNCHANGEDSINCE 320162338) +FLAGS.SILENT (\\Deleted)`.replace('7,5,9', '5,7,9') +
        `
        S: * 5 FETCH (MODSEQ (320162350))
        S: $B OK [MODIFIED 7,9] Conditional STORE failed
        C: $C STORE 12 (UNCHANGEDSINCE 212030000000) +FLAGS.SILENT ($MDNSent)
        S: * 12 FETCH (FLAGS (\\Seen))
        S: $C OK [MODIFIED 12] Conditional STORE failed
        C: $D STORE 100 (UNCHANGEDSINCE 212030000000) +FLAGS ($MDNSent)
        S: * 100 FETCH (MODSEQ (303181230852) FLAGS ($MDNSent))
        S: $D OK done
        C: $E STORE 7 (UNCHANGEDSINCE 5) FLAGS ()
        S: $E NO [MODIFIED 7] some are gone`,
      run: async (client) => {
        await client.selectFolder('INBOX');
        const deleted = ['\\Deleted'];
        const silent = { silent: true, useUid: false };
        const first = await client.addFlags([4, 6, 8], deleted, { silent: true, unchangedSince: 12121230045n });
        const second = await client.addFlags([5, 7, 9], deleted, { ...silent, unchangedSince: 320162338n });
        const third = await client.addFlags(12, ['$MDNSent'], { ...silent, unchangedSince: 212030000000n });
        const fourth = await client.addFlags(100, ['$MDNSent'], { useUid: false, unchangedSince: 212030000000n });
        const error = await rejection(client.setFlags(7, [], { useUid: false, unchangedSince: 5n }));
        const refused = error instanceof CommandError && [error.responseCode, error.responseCodeText];
        return [first.modSeqs, second, third.modified, fourth, refused];
      },
      result: [
        new Map([
          [4, 12121231000n],
          [6, 12121230852n],
          [8, 12121130956n],
        ]),
        { values: new Map(), modSeqs: new Map([[5, 320162350n]]), modified: Uint32Array.of(7, 9) },
        Uint32Array.of(12),
        {
          values: new Map([[100, ['$MDNSent']]]),
          modSeqs: new Map([[100, 303181230852n]]),
          modified: new Uint32Array(0),
        },
        ['MODIFIED', '7'],
      ],
    },
    {
      name: 'only what changed is fetched (3.1.4.1), with mod-sequences (3.1.4.2), and searched for (3.1.5)',
      capabilities: 'CONDSTORE',
      transcript: `${selecting(100)}
        C: $A UID FETCH 1:* (FLAGS) (CHANGEDSINCE 12345)
        S: * 1 FETCH (UID 4 MODSEQ (65402) FLAGS (\\Seen))
        S: * 2 FETCH (UID 6 MODSEQ (75403) FLAGS (\\Deleted))
        S: * 3 FETCH (FLAGS (\\Draft) UID 9)
        S: $A OK FETCH completed
        C: $B FETCH 1:3 (MODSEQ)
        S: * 1 FETCH (MODSEQ (624140003))
        S: * 2 FETCH (MODSEQ (18446744073709551615))
        S: $B OK done
        C: $C SEARCH MODSEQ "/flags/\\\\draft" all 620162338
        S: * SEARCH 2 5 6 7 11 12 18 19 20 23 (MODSEQ 917162500)
        S: $C OK Search complete
        C: $D SEARCH OR NOT MODSEQ 720162338 LARGER 50000
        S: * SEARCH
        S: $D OK Search complete, nothing found`,
      run: async (client) => {
        await client.selectFolder('INBOX');
        const changed = await client.fetch('1:*', ['FLAGS'], { changedSince: 12345n });
        const modSeqs = await client.fetch('1:3', ['MODSEQ'], { useUid: false });
        const found = await client.search('MODSEQ "/flags/\\\\draft" all 620162338', { useUid: false });
        const nothing = await client.search(['OR', 'NOT', 'MODSEQ', 720162338, 'LARGER', 50000], { useUid: false });
        return [
          [...changed.values()].map(({ uid, modSeq }) => [uid, modSeq]),
          [...modSeqs.values()].map(({ modSeq }) => modSeq),
          [found.length, found.modSeq],
          [nothing.length, nothing.modSeq],
        ];
      },
      result: [
        [
          [4, 65402n],
          [6, 75403n],
        ],
        [624140003n, 18446744073709551615n],
        [10, 917162500n],
        [0, undefined],
      ],
    },
  ]);

  it.each([-1n, 2n ** 63n])('refuses the mod-sequence %d', async (changedSince) => {
    const { client, server } = await openScripted(selecting(), { capabilities: 'CONDSTORE' });
    await client.selectFolder('INBOX');
    expect(await rejection(client.fetch('1', 'FLAGS', { changedSince }))).toBeInstanceOf(UsageError);
    expect(server.unexpected).toBe('');
  });
});

describe('RFC 7162: QRESYNC', () => {
  playDialogues([
    {
      name: 'SELECT tells what happened since (3.2.5), and expunges come as VANISHED (3.2.10)',
      capabilities: 'QRESYNC ENABLE UIDPLUS',
      transcript: `
        C: $A ENABLE QRESYNC
        S: * ENABLED QRESYNC
        S: $A OK enabled
        C: $B SELECT "INBOX" (QRESYNC (67890007 20050715194045000 41:211,214:541 (1,5,9 2,6,11)))
        S: * 314 EXISTS
        S: * 15 RECENT
        S: * OK [UIDVALIDITY 67890007] UIDVALIDITY
        S: * OK [UIDNEXT 567] Predicted next UID
        S: * OK [HIGHESTMODSEQ 20060115205545359] Highest mailbox mod-sequence
        S: * OK [UNSEEN 7] There are some unseen messages in the mailbox
        S: * FLAGS (\\Answered \\Flagged \\Draft \\Deleted \\Seen)
        S: * OK [PERMANENTFLAGS (\\Answered \\Flagged \\Draft \\Deleted \\Seen \\*)] Permanent flags
        S: * VANISHED (EARLIER) 41,43:116,118,120:211
        S: * VANISHED (EARLIER) 214:540
        S: * 49 FETCH (UID 117 FLAGS (\\Seen \\Answered) MODSEQ (20060115194045001))
        S: * 50 FETCH (UID 119 FLAGS (\\Draft $MDNSent) MODSEQ (20060115194045308))
        S: $B OK [READ-WRITE] mailbox selected
        C: $C UID EXPUNGE 117:119
        S: * VANISHED 117,119
        S: $C OK [HIGHESTMODSEQ 20060115205545400] done
        C: $D UID FETCH 300:500 (UID FLAGS) (CHANGEDSINCE 12345 VANISHED)
        S: * VANISHED (EARLIER) 300:310,405,411
        S: * 1 FETCH (UID 404 MODSEQ (65402) FLAGS (\\Seen))
        S: $D OK FETCH completed
        C: $E SELECT "INBOX" (QRESYNC (1 2))
        S: * OK [CLOSED] closed
        S: * 1 EXISTS
        S: * FLAGS ()
        S: $E OK done`,
      run: async (client) => {
        await client.enable('QRESYNC');
        const { resync, ...inbox } = await client.selectFolder('INBOX', {
          qresync: {
            uidValidity: 67890007,
            modSeq: 20050715194045000n,
            knownUids: '41:211,214:541',
            sequenceMatch: { seqs: [1, 5, 9], uids: [2, 6, 11] },
          },
        });
        const kept = client.selected;
        const gone = await client.uidExpunge('117:119');
        const exists = client.selected?.exists;
        const changed = await client.fetch('300:500', ['UID', 'FLAGS'], { changedSince: 12345n, vanished: true });
        const again = await client.selectFolder('INBOX', { qresync: { uidValidity: 1, modSeq: 2n } });
        return [
          resync?.vanished,
          [...(resync?.changed.keys() ?? [])],
          inbox.uidNext,
          [kept?.exists, kept?.resync],
          [gone, exists],
          [changed.vanished, [...changed.keys()]],
          again.resync?.vanished,
        ];
      },
      result: [
        '41,43:116,118,120:211,214:540',
        [117, 119],
        567,
        [314, undefined],
        [2, 312],
        ['300:310,405,411', [404]],
        null,
      ],
    },
  ]);
});
