/** What every endpoint promises, as one suite: see `src/worker/endpoint.ts`. */
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Side } from '../../src/job.ts';
import { internalDateToEpochMs } from '../../src/protocol/index.ts';
import type { FlagTable } from '../../src/worker/contract.ts';
import { canonicalDigestOf } from '../../src/worker/digest.ts';
import type { Endpoint, Fetched, Message, ReadableFolder, Stored } from '../../src/worker/endpoint.ts';
import { awkwardBodies } from '../archive/awkward-bodies.ts';

/** Something that endpoints can be opened on again and again. */
export interface EndpointPlace extends Disposable {
  open(side: Side): Promise<Endpoint>;
  /** Takes a message out, as somebody else would. */
  remove(folder: string, uid: number): Promise<void>;
}

export interface EndpointTraits {
  /** False: the format has no place for flags, and the manifest, which a job writes, is the only one to know them. */
  readonly keepsFlags: boolean;
  /** False: a folder of nothing but folders cannot be told from one that holds mail. */
  readonly keepsEmptyParents: boolean;
}

/** Folders as a job names them before they are listed. */
const named = (unicode: string) => ({ unicode });
const inbox = named('INBOX');

const flags = ['\\Seen', '\\Flagged', '$Label1', 'Work'];
const internalDate = '14-Jul-2019 14:30:05 +0530';
const appendOptions = { singly: false, shouldStop: () => false };

export function describeEndpoint(name: string, make: () => EndpointPlace, traits: EndpointTraits): void {
  const { keepsFlags, keepsEmptyParents } = traits;
  const known = (set: readonly string[]) => (keepsFlags ? [...set].sort() : []);

  describe(`an endpoint of ${name}`, () => {
    let place: EndpointPlace;
    const opened: Endpoint[] = [];

    beforeEach(() => {
      place = make();
    });

    afterEach(async () => {
      for (const endpoint of opened.splice(0)) await endpoint[Symbol.asyncDispose]();
      place[Symbol.dispose]();
    });

    const open = async (side: Side) => {
      const endpoint = await place.open(side);
      opened.push(endpoint);
      return endpoint;
    };

    const prepare = async (endpoint: Endpoint, ...names: string[]) =>
      await endpoint.prepare(
        names.map((targetName, folderId) => {
          return { folderId, targetName, create: true, specialUse: null, subscribe: false };
        }),
      );

    /** A target whose INBOX holds these messages. */
    const filled = async (...bodies: (string | Buffer)[]) => {
      const target = await open('target');
      await prepare(target, 'INBOX');
      const writer = await target.openForWriting(inbox);
      const uids = uidsOf(await writer.append(bodies.map(toMessage), appendOptions));
      return { target, writer, uids };
    };

    const reopened = async () => await (await open('source')).openForReading(inbox, null);

    describe('folders', () => {
      it('are listed when they have been made, and counted', async () => {
        const target = await open('target');
        const results = await prepare(target, 'INBOX', 'Work', 'Work/2019', 'Entwürfe');
        expect(results.map(({ folderId, failure }) => ({ folderId, failure }))).toEqual(
          [0, 1, 2, 3].map((folderId) => ({ folderId, failure: null })),
        );
        await (await target.openForWriting(named('Work/2019'))).append([toMessage('a')], appendOptions);
        const folders = await (await open('source')).listFolders();
        expect(folders.map((folder) => folder.name).sort()).toEqual(['Entwürfe', 'INBOX', 'Work', 'Work/2019']);
        expect(folders.every(({ delimiter }) => delimiter === '/')).toBe(true);
        const counts = folders.map(({ name, selectable, status }) => [name, selectable ? status?.messages : null]);
        const parent = keepsEmptyParents ? 0 : null;
        expect(Object.fromEntries(counts)).toEqual({ INBOX: 0, Entwürfe: 0, Work: parent, 'Work/2019': 1 });
      });

      it('are opened by the raw names they are listed with', async () => {
        const target = await open('target');
        await prepare(target, 'Entwürfe & more');
        const listed = (await target.listFolders()).find((folder) => folder.name === 'Entwürfe & more');
        const writer = await target.openForWriting({ raw: listed?.rawName ?? '' });
        await writer.append([toMessage('a')], appendOptions);
        const reader = await (await open('source')).openForReading({ raw: listed?.rawName ?? '' }, null);
        expect(await bodiesOf(reader)).toEqual(['a']);
      });

      it('that are there are not made again, and keep what is in them', async () => {
        const { target, uids } = await filled('one');
        const again = await prepare(target, 'INBOX');
        expect(again).toMatchObject([{ created: false }]);
        expect(await uidsIn(await reopened())).toEqual(uids);
        await prepare(target, 'Work');
        expect(await prepare(await open('target'), 'Work')).toMatchObject([{ created: false }]);
      });

      it('that are not there have no status, and cannot be opened', async () => {
        const { target } = await filled();
        expect(await target.statusOf(named('Nowhere'))).toBeNull();
        await expect(target.openForWriting(named('Nowhere'))).rejects.toThrow();
        await expect(target.openForReading(named('Nowhere'), null)).rejects.toThrow();
      });

      it('have the status of what is in them now', async () => {
        const { target, writer, uids } = await filled('one', 'two');
        const last = uids.at(-1) ?? 0;
        const other = await open('target');
        const uidValidity = writer.facts.uidValidity;
        expect(await other.statusOf(inbox)).toEqual({ messages: 2, uidNext: last + 1, uidValidity });
        await writer.append([toMessage('three')], appendOptions);
        expect(await other.statusOf(inbox)).toMatchObject({ messages: 3, uidValidity });
        expect(await target.openForReading(inbox, null)).toMatchObject({ facts: { exists: 3, uidValidity } });
      });
    });

    describe('messages', () => {
      it('come back byte for byte with UIDs that ascend, whatever they are', async () => {
        const bodies = awkwardBodies.map(({ body }) => body).filter((body) => body.length > 0);
        const { uids } = await filled(...bodies);
        expect(uids).toHaveLength(bodies.length);
        expect(uids).toEqual(ascending(uids));
        const reader = await reopened();
        expect(await uidsIn(reader)).toEqual(uids);
        const fetched = await reader.fetch(Uint32Array.from(uids));
        expect(fetched.map((item) => ('uid' in item ? item.uid : item.message.uid))).toEqual(uids);
        for (const [index, item] of fetched.entries()) {
          const body = item.kind === 'message' ? Buffer.concat(item.message.body.chunks) : null;
          expect(body?.equals(bodies[index] ?? Buffer.alloc(0)), awkwardName(bodies[index])).toBe(true);
        }
      });

      it('are answered for one by one, those that were never there included', async () => {
        const { uids } = await filled('one', 'two', 'three');
        const [one = 0, , three = 0] = uids;
        const fetched = await (await reopened()).fetch(Uint32Array.of(one, three, three + 7));
        expect(fetched.map(textOf)).toEqual(['one', 'three', '(gone)']);
      });

      it('keep the instant they arrived at', async () => {
        const dates = [internalDate, '29-Feb-2024 23:59:59 -0800', '01-Jan-1969 10:00:00 +0000'];
        const { target, writer } = await filled();
        const sent = dates.map((date, index) => ({ ...toMessage(`${index}`), internalDate: date }));
        const uids = uidsOf(await writer.append(sent, appendOptions));
        const reader = await reopened();
        const fetched = await reader.describe(Uint32Array.from(uids));
        const instants = fetched.map((item) => (item.kind === 'message' ? instantOf(item.message.internalDate) : null));
        expect(instants).toEqual(dates.map(instantOf));
        const { dates: inspected } = await reader.inspect({ bodies: false, uids: null, fromUid: 1 });
        expect([...inspected]).toEqual(dates.map(instantOf));
        expect(instantOf(await (await target.openForWriting(inbox)).internalDateOf(uids[0] ?? 0))).toBe(
          instantOf(internalDate),
        );
      });

      it('keep flags and keywords where the format has a place for them', async () => {
        const { writer } = await filled();
        const [uid = 0] = uidsOf(await writer.append([{ ...toMessage('x'), flags }], appendOptions));
        const reader = await reopened();
        const [fetched] = await reader.fetch(Uint32Array.of(uid));
        expect(flagsOf(fetched)).toEqual(known(flags));
        const [described] = await reader.describe(Uint32Array.of(uid));
        expect(flagsOf(described)).toEqual(known(flags));
        expect(writer.splitFlags([...flags, '\\Recent']).kept).toEqual(flags);
      });

      it('are described without their bodies', async () => {
        const body = 'Subject: described\r\n\r\nhello\r\n';
        const { uids } = await filled(body);
        const [described] = await (await reopened()).describe(Uint32Array.from(uids));
        expect(described).toMatchObject({ kind: 'message', message: { uid: uids[0], body: { chunks: [] } } });
        expect(described?.kind === 'message' && described.message.body.size).toBeGreaterThan(0);
      });

      it('can be counted by whoever writes', async () => {
        const { writer, uids } = await filled('one', 'two');
        expect(await writer.count()).toBe(uids.length);
        await writer.append([toMessage('three')], appendOptions);
        expect(await writer.count()).toBe(3);
      });

      it('are not sent when the lane is told to stop', async () => {
        const { writer } = await filled('one');
        const stored = await writer.append([toMessage('two')], { singly: false, shouldStop: () => true });
        const isHeeded = stored[0]?.kind === 'unsent';
        expect(await bodiesOf(await reopened())).toEqual(isHeeded ? ['one'] : ['one', 'two']);
      });

      it('of several folders are written in turn', async () => {
        const { target, writer } = await filled('one');
        await prepare(target, 'Work');
        const other = await target.openForWriting(named('Work'));
        await writer.append([toMessage('two')], appendOptions);
        await other.append([toMessage('three')], appendOptions);
        await writer.append([toMessage('four')], appendOptions);
        expect(await bodiesOf(await reopened())).toEqual(['one', 'two', 'four']);
        const work = await (await open('source')).openForReading(named('Work'), null);
        expect(await bodiesOf(work)).toEqual(['three']);
      });
    });

    describe('big messages', () => {
      const body = Buffer.concat([
        Buffer.from('Subject: big\r\n\r\n'),
        Buffer.alloc(5_000_000, 'From a\r\n0123456\r\n'),
      ]);
      const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

      it('are stored as they come, and read as they are read', async () => {
        const { writer, uids } = await filled('before');
        const stored = await writer.appendStream(
          { ...toMessage(''), flags, body: { size: body.length, chunks: [] } },
          { size: body.length, slices: slicesOf(body, 100_000) },
        );
        const [uid = 0] = uidsOf([stored]);
        expect(uid).toBeGreaterThan(uids[0] ?? 0);
        await writer.append([toMessage('behind')], appendOptions);
        const reader = await reopened();
        const streamed = await reader.openBody(uid);
        if (streamed.kind !== 'body') throw new Error(`it is ${streamed.kind}`);
        expect(streamed.size).toBe(body.length);
        const slices: Buffer[] = [];
        for await (const slice of streamed.slices) slices.push(Buffer.from(slice));
        expect(digest(Buffer.concat(slices))).toBe(digest(body));
        expect(await uidsIn(reader)).toHaveLength(3);
      });

      it('can be left unread', async () => {
        const { uids } = await filled('before', body);
        const reader = await reopened();
        const streamed = await reader.openBody(uids[1] ?? 0);
        expect(streamed).toMatchObject({ kind: 'body', size: body.length });
        if (streamed.kind === 'body') streamed.drop();
        const [first] = await reader.fetch(Uint32Array.of(uids[0] ?? 0));
        expect(textOf(first)).toBe('before');
      });

      it('whose rest never comes are not there', async () => {
        const { writer } = await filled('before');
        const stored = await writer.appendStream(
          { ...toMessage(''), body: { size: body.length, chunks: [] } },
          { size: body.length, slices: brokenAfter(body, 1_000_000) },
        );
        expect(stored.kind).not.toBe('stored');
        expect(await bodiesOf(await reopened())).toEqual(['before']);
      });
    });

    describe('what is in a folder', () => {
      it('is listed in windows, ascending, with sizes', async () => {
        const { uids } = await filled('one', 'three', 'seven');
        const reader = await reopened();
        const sizes: number[] = [];
        const listed: number[] = [];
        for await (const window of reader.scan(null)) {
          listed.push(...window.uids);
          sizes.push(...window.sizes);
        }
        expect(listed).toEqual(uids);
        expect(sizes.every((size) => size > 0)).toBe(true);
        expect(reader.unlisted()).toBe(0);
      });

      it('is inspected with bodies and without, whole, from a UID on, and by UIDs', async () => {
        const bodies = ['Subject: 1\r\n\r\na\r\n', 'Subject: 2\r\n\r\nb\r\n', 'Subject: 3\r\n\r\nc\r\n'];
        const { uids } = await filled(...bodies);
        const reader = await reopened();
        const whole = await reader.inspect({ bodies: true, uids: null, fromUid: 1 });
        expect(whole).toMatchObject({ complete: true, unlisted: 0 });
        expect([...whole.uids]).toEqual(uids);
        expect([...whole.sizes]).toEqual(bodies.map((text) => text.length));
        const digests = bodies.map((text) => canonicalDigestOf({ size: text.length, chunks: [Buffer.from(text)] }));
        expect(Buffer.from(whole.digests ?? [])).toEqual(Buffer.concat(digests));
        const headers = await reader.inspect({ bodies: false, uids: null, fromUid: uids[1] ?? 0 });
        expect([...headers.uids]).toEqual(uids.slice(1));
        expect(headers.digests).toBeNull();
        expect(Buffer.from(headers.headerKeys)).toEqual(Buffer.from(whole.headerKeys.subarray(16)));
        const some = await reader.inspect({
          bodies: true,
          uids: Uint32Array.of(uids[0] ?? 0, uids[2] ?? 0),
          fromUid: 1,
        });
        expect([...some.uids]).toEqual([uids[0], uids[2]]);
      });

      it('is not complete where the inspection was told to stop', async () => {
        await filled('Subject: 1\r\n\r\na\r\n');
        const stopped = await (await reopened()).inspect({ bodies: true, uids: null, fromUid: 1 }, () => true);
        expect(stopped.complete).toBe(false);
      });

      it('says of a message that was removed meanwhile that it is gone', async () => {
        const { uids } = await filled('one', 'two', 'three');
        const reader = await reopened();
        const [, two = 0] = uids;
        await place.remove('INBOX', two);
        const fetched = await reader.fetch(Uint32Array.from(uids));
        expect(fetched.map((item) => item.kind)).toEqual(['message', 'gone', 'message']);
        expect(await reader.openBody(two)).toEqual({ kind: 'gone', uid: two });
        const [described] = await (await reopened()).describe(Uint32Array.of(two));
        expect(described).toEqual({ kind: 'gone', uid: two });
      });

      it('has the same UIDVALIDITY and UIDs whenever it is opened', async () => {
        const { writer, uids } = await filled('one', 'two');
        const before = await reopened();
        await place.remove('INBOX', uids[1] ?? 0);
        const target = await open('target');
        const next = await target.openForWriting(inbox);
        const [uid = 0] = uidsOf(await next.append([toMessage('three')], appendOptions));
        const after = await reopened();
        expect([before, after].map(({ facts }) => facts.uidValidity)).toEqual(
          [0, 0].map(() => writer.facts.uidValidity),
        );
        expect(await uidsIn(after)).toEqual([uids[0], uid]);
        expect((await target.statusOf(inbox))?.uidValidity).toBe(writer.facts.uidValidity);
      });
    });

    describe('flags', () => {
      it('are set and removed, and read again', async () => {
        const { writer, target } = await filled();
        const sent = [{ ...toMessage('one'), flags: ['\\Seen', 'Work'] }, toMessage('two'), toMessage('three')];
        const [one = 0, two = 0, three = 0] = uidsOf(await writer.append(sent, appendOptions));
        const stored = await target.storeFlags({
          folder: inbox,
          uidValidity: writer.facts.uidValidity,
          changes: [
            { add: ['\\Flagged'], remove: ['\\Seen'], uids: Uint32Array.of(one) },
            { add: ['\\Answered', '$Label1'], remove: [], uids: Uint32Array.of(two, three) },
          ],
        });
        expect(stored).toMatchObject({ refusal: null, lost: [] });
        const table = await (await open('source')).readFlags(inbox, null);
        expect(table.uidValidity).toBe(writer.facts.uidValidity);
        expect(flagsIn(table)).toEqual([
          [one, known(['\\Flagged', 'Work'])],
          [two, known(['$Label1', '\\Answered'])],
          [three, known(['$Label1', '\\Answered'])],
        ]);
        expect(await bodiesOf(await reopened())).toEqual(['one', 'two', 'three']);
      });

      it('of a folder that is another one by now are left alone', async () => {
        const { writer, target, uids } = await filled('one');
        const stored = await target.storeFlags({
          folder: inbox,
          uidValidity: (writer.facts.uidValidity ?? 0) + 1,
          changes: [{ add: ['\\Flagged'], remove: [], uids: Uint32Array.from(uids) }],
        });
        expect(stored.refusal).not.toBeNull();
        expect(flagsIn(await target.readFlags(inbox, null))).toEqual([[uids[0], []]]);
      });

      it('of messages that are gone are passed over', async () => {
        const { target, uids } = await filled('one', 'two');
        await place.remove('INBOX', uids[0] ?? 0);
        const stored = await target.storeFlags({
          folder: inbox,
          uidValidity: null,
          changes: [{ add: ['\\Flagged'], remove: [], uids: Uint32Array.from(uids) }],
        });
        expect(stored.refusal).toBeNull();
        expect(flagsIn(await target.readFlags(inbox, null))).toEqual([[uids[1], known(['\\Flagged'])]]);
      });
    });
  });
}

function toMessage(body: string | Buffer): Message {
  const bytes = Buffer.from(body);
  return { uid: 1, flags: [], internalDate, body: { size: bytes.length, chunks: [bytes] } };
}

/** @throws where one was not stored under a UID. */
function uidsOf(stored: readonly Stored[]): number[] {
  return stored.map((answer) => {
    if (answer.kind !== 'stored' || answer.uid === null) throw new Error(`not stored: ${JSON.stringify(answer)}`);
    return answer.uid;
  });
}

async function uidsIn(reader: ReadableFolder): Promise<number[]> {
  const uids: number[] = [];
  for await (const window of reader.scan(null)) uids.push(...window.uids);
  return uids;
}

async function bodiesOf(reader: ReadableFolder): Promise<string[]> {
  return (await reader.fetch(Uint32Array.from(await uidsIn(reader)))).map(textOf);
}

function textOf(item: Fetched | undefined): string {
  return item?.kind === 'message' ? Buffer.concat(item.message.body.chunks).toString() : `(${item?.kind})`;
}

function flagsOf(item: Fetched | undefined): string[] {
  if (item?.kind !== 'message') throw new Error(`it is ${item?.kind}`);
  return item.message.flags.filter((flag) => flag.toLowerCase() !== '\\recent').sort();
}

function flagsIn({ uids, flags: sets, flagSets }: FlagTable): [number, string[]][] {
  return Array.from(uids, (uid, row) => [uid, (flagSets[sets[row] ?? 0] ?? '').split(' ').filter(Boolean).sort()]);
}

function instantOf(date: string | null): number | null {
  return date === null ? null : internalDateToEpochMs(date);
}

function ascending(uids: readonly number[]): number[] {
  return [...new Set(uids)].sort((a, b) => a - b);
}

function awkwardName(body: Buffer | undefined): string {
  return awkwardBodies.find((awkward) => awkward.body === body)?.name ?? 'no body';
}

async function* slicesOf(body: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < body.length; at += size) yield body.subarray(at, at + size);
}

async function* brokenAfter(body: Buffer, bytes: number): AsyncGenerator<Buffer> {
  yield body.subarray(0, bytes);
  throw new Error('the source is gone');
}
