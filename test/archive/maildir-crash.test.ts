/** Whatever call of the system fails, and whenever the process dies: a folder lists whole messages only. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openMaildirStore } from '../../src/archive/maildir-store.ts';
import type { NewBody, StoreFolder } from '../../src/archive/store.ts';

/** The calls that are counted: those that change something on the disk, or wait for it. */
const fault = vi.hoisted(() => ({
  calls: 0,
  /** Number of the call that fails; 0: none does. */
  at: 0,
  /** `once`: the call fails. `half`: it writes half of its bytes, then fails. `dead`: so does everything behind it. */
  kind: 'once' as 'once' | 'half' | 'dead',
  /** What was written, made durable and renamed, in order. */
  log: [] as string[],
}));

vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>();
  const noSpace = () => Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  const strikes = (name: string) => {
    fault.log.push(name);
    fault.calls++;
    if (fault.at === 0) return false;
    return fault.kind === 'dead' ? fault.calls >= fault.at : fault.calls === fault.at;
  };
  const written = new Set<number>();
  const failing =
    <Args extends unknown[], Result>(call: (...args: Args) => Result) =>
    (...args: Args): Result => {
      if (strikes(call.name)) throw noSpace();
      return call(...args);
    };
  return {
    ...fs,
    openSync: (path: string, mode: number | string, permissions?: number) => {
      const isForReading = typeof mode === 'number' && (mode & fs.constants.O_CREAT) === 0;
      if (!isForReading && strikes('open')) throw noSpace();
      const handle = fs.openSync(path, mode, permissions);
      if (!isForReading) written.add(handle);
      return handle;
    },
    closeSync: (handle: number) => {
      // What was read can always be closed.
      if (written.delete(handle) && strikes('close')) throw noSpace();
      fs.closeSync(handle);
    },
    mkdirSync: failing(fs.mkdirSync),
    futimesSync: failing(fs.futimesSync),
    renameSync: failing(fs.renameSync),
    linkSync: failing(fs.linkSync),
    unlinkSync: failing(fs.unlinkSync),
    fsyncSync: failing(fs.fsyncSync),
    writevSync: (handle: number, slices: NodeJS.ArrayBufferView[], position?: number) => {
      if (!strikes('write')) return fs.writevSync(handle, slices, position);
      if (fault.kind !== 'once') fs.writeSync(handle, slices[0] as Buffer, 0, 3);
      throw noSpace();
    },
    fsync: (handle: number, done: (error: Error | null) => void) => {
      if (strikes('fsync')) setImmediate(done, noSpace());
      else fs.fsync(handle, done);
    },
  };
});

const flags = ['\\Seen', 'work'];
const bodies = [3, 4, 5].map((uid) => `Subject: ${uid}\r\n\r\nmessage ${uid}\r\n`);
const batch = bodies.map((text, index): NewBody => {
  const body = Buffer.from(text);
  return { uid: index + 3, flags, dateMs: 1000, body: { size: body.length, chunks: [body] } };
});

async function* slices() {
  yield Buffer.from(bodies[0]?.slice(0, 5) ?? '');
  yield Buffer.from(bodies[0]?.slice(5) ?? '');
}

const ways: readonly [string, (folder: StoreFolder) => Promise<void>][] = [
  ['append', (folder) => folder.append(batch)],
  [
    'appendStream',
    (folder) =>
      folder.appendStream({ uid: 3, flags, dateMs: 1000 }, { size: bodies[0]?.length ?? 0, slices: slices() }),
  ],
];

describe.each(ways)('%s', (_name, store) => {
  const roots: string[] = [];

  afterEach(() => {
    fault.at = 0;
    for (const root of roots.splice(0)) rmSync(root, { recursive: true });
  });

  const openFolder = async (root: string) => {
    const tree = openMaildirStore({ root, fsync: 'batch', compress: 'none', layout: 'maildir++' });
    await tree.createFolder(['A']);
    return tree.openFolder(['A'], { forWriting: true });
  };

  /** Stores with the fault; how many calls there were, and what is there afterwards. */
  const struck = async (kind: typeof fault.kind, at: number) => {
    const root = mkdtempSync(join(tmpdir(), 'maildir-'));
    roots.push(root);
    const folder = await openFolder(root);
    const before = Buffer.from('before');
    await folder.append([{ uid: 1, flags: [], dateMs: 1000, body: { size: 6, chunks: [before] } }]);
    Object.assign(fault, { calls: 0, at, kind, log: [] });
    const failure = await store(folder).then(
      () => null,
      (error: unknown) => error,
    );
    const { calls, log } = fault;
    fault.at = 0;
    const temporary = readdirSync(join(root, '.A', 'tmp'));
    const reader = await openFolder(root);
    const found: string[] = [];
    for (const message of await reader.list()) found.push(Buffer.concat(await reader.read(message)).toString());
    return { calls, log, failure, found, temporary };
  };

  it('names a message when it is on the disk, and makes the names durable', async () => {
    const { log } = await struck('once', 0);
    const steps = log.filter((call) => /^(?:write|fsync|fsyncSync|renameSync)$/.test(call));
    const count = steps.filter((call) => call === 'fsync').length;
    const times = (call: string) => Array.from({ length: count }, () => call);
    const keywords = ['write', 'fsyncSync', 'renameSync', 'fsyncSync'];
    const writes = steps.slice(keywords.length).filter((call) => call === 'write');
    expect(steps).toEqual([...keywords, ...writes, ...times('fsync'), ...times('renameSync'), 'fsyncSync']);
    expect(count).toBeGreaterThan(0);
  });

  it.each(['once', 'half', 'dead'] as const)('leaves whole messages where a call fails: %s', async (kind) => {
    const { calls, failure } = await struck(kind, 0);
    expect(failure).toBeNull();
    expect(calls).toBeGreaterThan(8);
    for (let at = 1; at <= calls; at++) {
      const { failure, found, temporary } = await struck(kind, at);
      expect(failure, `call ${at}`).toMatchObject({ code: 'DISK' });
      expect(found, `call ${at}`).toEqual(['before', ...bodies].slice(0, found.length));
      expect(found.length).toBeGreaterThanOrEqual(1);
      // A dead process tidies nothing up; one that lives, all but what it cannot.
      if (kind !== 'dead') expect(temporary, `call ${at}`).toEqual([]);
    }
  });
});
