import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkQuotas, selectFitting, selectMissing } from '../../src/plan/select.ts';

const uidSet = fc
  .uniqueArray(fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 0xffff_ffff })), { maxLength: 60 })
  .map((uids) => Uint32Array.from(uids).sort());

describe('selectMissing', () => {
  it('gives the rows a plain set difference gives', () => {
    fc.assert(
      fc.property(uidSet, uidSet, (uids, known) => {
        const missing = Array.from(selectMissing(uids, known), (row) => uids[row]);
        expect(missing).toEqual([...uids].filter((uid) => !new Set(known).has(uid)));
      }),
    );
  });

  it('gives the same for the windows of a folder as for the whole', () => {
    fc.assert(
      fc.property(uidSet, uidSet, fc.nat(60), (uids, known, cut) => {
        const head = selectMissing(uids.slice(0, cut), known);
        const tail = selectMissing(uids.slice(cut), known).map((row) => row + Math.min(cut, uids.length));
        expect([...head, ...tail]).toEqual([...selectMissing(uids, known)]);
      }),
    );
  });

  it('refuses UIDs that do not ascend, because it would skip messages', () => {
    expect(() => selectMissing(Uint32Array.of(3, 2), new Uint32Array())).toThrow(RangeError);
    expect(() => selectMissing(Uint32Array.of(2, 2), new Uint32Array())).toThrow(RangeError);
  });
});

describe('selectFitting', () => {
  const rows = Uint32Array.of(0, 2, 3);
  const sizes = Uint32Array.of(10, 999, 11, 9);

  it('lets a message of exactly the limit through and holds back what is larger', () => {
    expect(selectFitting(rows, sizes, 10)).toEqual({ fitting: Uint32Array.of(0, 3), tooBig: Uint32Array.of(2) });
  });

  it('lets everything through where the target announces no limit', () => {
    expect(selectFitting(rows, sizes, null)).toEqual({ fitting: rows, tooBig: new Uint32Array() });
  });
});

describe('checkQuotas', () => {
  const storage = { root: '', resource: 'STORAGE', usage: 1000, limit: 2000 };
  const kib = (amount: number) => amount * 1024;

  it.each([
    ['leaves room', { messages: 1, bytes: kib(500), exact: true }, []],
    ['becomes tight', { messages: 1, bytes: kib(900), exact: true }, ['note']],
    ['is exactly filled', { messages: 1, bytes: kib(1000), exact: true }, ['note']],
    ['is passed by one byte', { messages: 1, bytes: kib(1000) + 1, exact: true }, ['note']],
    ['is passed by an estimate', { messages: 1, bytes: kib(5000), exact: false }, ['note']],
    ['cannot be compared, sizes being unknown', { messages: 1, bytes: null, exact: true }, []],
    ['is passed already, but nothing is to be copied', { messages: 0, bytes: 0, exact: true }, []],
  ])('says what is needed when a storage quota %s', (_, demand, expected) => {
    expect(checkQuotas([storage], demand).map(({ severity }) => severity)).toEqual(expected);
  });

  it('names the room, the need and the root in one sentence', () => {
    const [problem] = checkQuotas([{ ...storage, root: 'user.alice' }], { messages: 9, bytes: kib(4096), exact: true });
    expect(problem).toEqual({
      severity: 'note',
      code: 'QUOTA',
      folder: null,
      message:
        'The target\'s quota root "user.alice" has room for 1000 KiB, but 4.0 MiB are to be copied: the run will stop when it is full; raise the quota, or leave folders out with --exclude.',
    });
  });

  it('counts messages where the quota does, and passes over resources it does not know', () => {
    const demand = { messages: 12, bytes: null, exact: true };
    const quotas = [
      { root: '', resource: 'MESSAGE', usage: 90, limit: 100 },
      { root: '', resource: 'MAILBOX', usage: 5, limit: 5 },
    ];
    expect(checkQuotas(quotas, demand).map(({ message }) => message)).toEqual([
      'The target has room for 10 messages, but 12 messages are to be copied: the run will stop when it is full; raise the quota, or leave folders out with --exclude.',
    ]);
  });

  it('speaks of no room where more is used than allowed', () => {
    const [problem] = checkQuotas([{ ...storage, usage: 3000 }], { messages: 1, bytes: kib(1), exact: true });
    expect(problem?.message).toContain('room for 0 KiB');
  });
});
