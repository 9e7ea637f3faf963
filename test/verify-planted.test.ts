import { describe, expect, it } from 'vitest';
import type { Difference } from '../src/job.ts';
import { type NewMessage, Random, type SandboxMailbox, type StoredMessage } from '../src/sandbox/index.ts';
import { Engine } from './support/engine.ts';

const messagesPerFolder = 5_000;
const folders = ['INBOX', 'Work', 'Archive', 'Größe'];
const flagPool = ['\\Seen', '\\Answered', '\\Flagged', '$Label1', 'Custom'];

/** Some have no Message-ID, some no header at all, some are longer than a chunk; every 50th is the one before it once more. */
function makeMessage(random: Random, folder: string, n: number): NewMessage {
  const id = n % 11 === 0 ? '' : `Message-ID: <${n}.${folder.length}@planted.test>\r\n`;
  const header = `${id}Date: Sat, 01 Feb 2020 10:00:00 +0200\r\nSubject: ${folder} ${n}\r\n\r\n`;
  const text = `body ${n}\r\n${'some more text in every line\r\n'.repeat(n % 500 === 0 ? 3_000 : n % 7)}`;
  return {
    body: n % 97 === 0 ? `no header, ${folder} ${n}\r\n` : header + text,
    internalDate: `${String(1 + (n % 28)).padStart(2, '0')}-Mar-2015 10:00:0${n % 10} +0200`,
    flags: flagPool.filter(() => random.below(3) === 0),
  };
}

/** Both sides hold the same mail, in the same order, with the same UIDs. */
function fillBoth(engine: Engine): Map<string, { readonly source: SandboxMailbox; readonly target: SandboxMailbox }> {
  const random = new Random(8);
  return new Map(
    folders.map((name) => {
      const open = (account: Engine['source']) => (name === 'INBOX' ? account.inbox : account.createMailbox([name]));
      const [source, target] = [open(engine.source), open(engine.target)];
      let message = makeMessage(random, name, 0);
      for (let n = 1; n <= messagesPerFolder; n++) {
        if (n % 50 !== 0) message = makeMessage(random, name, n);
        source.append(message);
        target.append(message);
      }
      return [name, { source, target }];
    }),
  );
}

type Planted = Pick<Difference, 'kind' | 'folder' | 'sourceUid' | 'targetUid'>;

const flip = (body: Buffer, at: number): Buffer => {
  const changed = Buffer.from(body);
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
};

describe('a comparison of 20,000 messages', () => {
  it('finds exactly what was planted: loss, a double, a changed byte, flags, keywords, dates', async () => {
    using engine = new Engine();
    const sides = fillBoth(engine);
    const planted: Planted[] = [];
    const nothing = await engine.verify();
    expect(nothing).toMatchObject({ verdict: 'identical', exitCode: 0, differences: [], compared: 20_000 });

    const at = (name: string, uid: number) => {
      const side = sides.get(name);
      const message = side?.target.find(uid);
      if (side === undefined || message == null) throw new RangeError(`${name} has no UID ${uid}`);
      return { target: side.target, message };
    };
    const plant = (kind: Planted['kind'], folder: string, sourceUid: number | null, targetUid: number | null) =>
      planted.push({ kind, folder, sourceUid, targetUid });

    const setFlags = (name: string, uid: number, change: (flags: string[]) => string[]) => {
      const { target, message } = at(name, uid);
      target.setFlags(message, change([...message.flags]));
      plant('flags', name, uid, uid);
    };
    const toggled = (flag: string) => (flags: string[]) =>
      flags.includes(flag) ? flags.filter((it) => it !== flag) : [...flags, flag];
    setFlags('INBOX', 17, toggled('\\Seen'));
    setFlags('INBOX', 4_998, toggled('\\Deleted'));
    setFlags('Größe', 2, toggled('$Label1'));
    setFlags('Größe', 97, toggled('New-keyword'));

    for (const [name, uid] of [
      ['Work', 1],
      ['Work', 2_501],
      ['Archive', 49],
    ] as const) {
      const { target, message } = at(name, uid);
      target.expunge([message]);
      // UID 49 has a twin in UID 50: one of the two is missing, and it is the later one that has no partner left.
      plant('missing', name, name === 'Archive' ? 50 : uid, null);
    }

    for (const [name, uid] of [
      ['INBOX', 100],
      ['INBOX', 1_234],
      ['Größe', 3_007],
    ] as const) {
      const { target, message } = at(name, uid);
      const { body, flags, internalDate } = message;
      plant('extra', name, null, target.append({ body, flags, internalDate }).uid);
    }
    // A mailbox cannot change a message: the changed one takes its place at the end.
    const change = (kind: 'content' | 'date', name: string, uid: number, how: (message: StoredMessage) => object) => {
      const { target, message } = at(name, uid);
      const { body, flags, internalDate } = message;
      target.expunge([message]);
      plant(kind, name, uid, target.append({ body, flags, internalDate, ...how(message) }).uid);
    };
    change('content', 'Work', 4_990, ({ body }) => ({ body: flip(body, body.length - 3) }));
    change('content', 'Archive', 501, ({ body }) => ({ body: flip(body, body.length >> 1) }));
    change('content', 'Archive', 777, ({ body }) => ({ body: body.subarray(0, body.length - 9) }));
    change('date', 'INBOX', 3_333, () => ({ internalDate: '01-Jan-1999 00:00:00 +0000' }));
    change('date', 'Größe', 4_321, ({ internalDate }) => ({ internalDate: internalDate.replace('+0200', '+0300') }));

    const report = await engine.verify();
    const found = report.differences.map(({ kind, folder, sourceUid, targetUid }) => ({
      kind,
      folder,
      sourceUid,
      targetUid,
    }));
    const inOrder = (list: readonly Planted[]) => list.map((it) => JSON.stringify(it)).sort();
    expect(inOrder(found)).toEqual(inOrder(planted));
    expect(report).toMatchObject({ verdict: 'different', exitCode: 7 });
  }, 60_000);
});
