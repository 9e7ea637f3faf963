import { describe, expect, it } from 'vitest';
import { flagChanges } from '../src/plan/flag-changes.ts';
import type { NewMessage, SandboxAccount, StoredMessage } from '../src/sandbox/index.ts';
import { contents, Engine, multisets } from './support/engine.ts';

const message = (n: number, more: Partial<NewMessage> = {}): NewMessage => ({
  body: `Message-ID: <${n}@x>\r\nDate: Sat, 01 Feb 2020 10:00:00 +0200\r\nSubject: ${n}\r\n\r\nbody ${n}\r\n`,
  internalDate: '01-Feb-2020 10:00:00 +0200',
  ...more,
});

function fill(account: SandboxAccount): void {
  for (let n = 1; n <= 40; n++)
    account.inbox.append(message(n, { flags: n % 2 === 0 ? ['\\Seen'] : ['\\Flagged', '$Work'] }));
}

const at = (account: SandboxAccount, index: number): StoredMessage => {
  const found = account.inbox.messages[index];
  if (found === undefined) throw new RangeError(`no message ${index}`);
  return found;
};
const flagsAt = (account: SandboxAccount, index: number) => [...at(account, index).flags].sort();
const bodies = (account: SandboxAccount) => account.inbox.messages.length;

const sources: [name: string, disable: string[]][] = [
  ['with CONDSTORE', []],
  ['without CONDSTORE', ['CONDSTORE']],
];

describe('flags that changed at the source', () => {
  it.each(sources)('go to the target on a later run, and nothing else is touched (source %s)', async (_, disable) => {
    using engine = new Engine({ source: { disable } });
    fill(engine.source);
    await engine.run();
    engine.source.inbox.setFlags(at(engine.source, 0), ['\\Seen', '$Work']);
    engine.source.inbox.setFlags(at(engine.source, 1), []);
    engine.target.inbox.setFlags(at(engine.target, 0), ['\\Flagged', '$Work', '$Mine']);
    engine.target.inbox.setFlags(at(engine.target, 5), ['\\Answered']);
    engine.commands('target');
    engine.commands('source');
    const { report } = await engine.run();
    expect(report).toMatchObject({ exitCode: 0, copied: 0, alreadyThere: 40, flagsChanged: 2 });
    expect(flagsAt(engine.target, 0)).toEqual(['$Mine', '$Work', '\\Seen']);
    expect(flagsAt(engine.target, 1)).toEqual([]);
    expect(flagsAt(engine.target, 5)).toEqual(['\\Answered']);
    const commands = engine.commands('target');
    expect(commands.filter((name) => name === 'UID STORE')).toHaveLength(3);
    expect(commands).not.toContain('APPEND');
    expect(engine.commands('source').filter((name) => name.endsWith('FETCH'))).toHaveLength(1);
    const third = (await engine.run()).report;
    expect(third).toMatchObject({ exitCode: 0, flagsChanged: 0 });
    expect(engine.commands('target')).not.toContain('UID STORE');
  });

  it('cost nothing where CONDSTORE says that there are none', async () => {
    using engine = new Engine();
    fill(engine.source);
    await engine.run();
    engine.commands('source');
    await engine.run();
    expect(engine.commands('source').filter((name) => /FETCH|SELECT|EXAMINE/.test(name))).toEqual([]);
  });

  it.each(sources)('go along with new messages and without those that are gone (source %s)', async (_, disable) => {
    using engine = new Engine({ source: { disable } });
    fill(engine.source);
    await engine.run();
    engine.source.inbox.setFlags(at(engine.source, 3), ['\\Deleted']);
    engine.source.inbox.expunge([at(engine.source, 10), at(engine.source, 11)]);
    engine.source.inbox.append(message(41));
    const { report } = await engine.run();
    expect(report).toMatchObject({ exitCode: 0, copied: 1, alreadyThere: 38, flagsChanged: 1 });
    expect(report.folders[0]?.notes).toEqual([
      '2 messages are gone from the source since they were copied: the target keeps them',
    ]);
    expect(flagsAt(engine.target, 3)).toEqual(['\\Deleted']);
    expect(bodies(engine.target)).toBe(41);
    engine.source.inbox.append(message(42));
    expect((await engine.run()).report.folders[0]?.notes).toEqual([]);
  });

  it('are only added with merge, and left alone with once', async () => {
    using engine = new Engine();
    fill(engine.source);
    await engine.run();
    engine.source.inbox.setFlags(at(engine.source, 0), ['\\Seen']);
    await engine.run({ flags: 'once' });
    expect(flagsAt(engine.target, 0)).toEqual(['$Work', '\\Flagged']);
    engine.commands('target');
    expect((await engine.run({ flags: 'merge' })).report.flagsChanged).toBe(1);
    expect(flagsAt(engine.target, 0)).toEqual(['$Work', '\\Flagged', '\\Seen']);
  });

  it('are applied once more when the connection was lost in between', async () => {
    using engine = new Engine();
    fill(engine.source);
    await engine.run();
    for (const index of [0, 1, 2, 3])
      engine.source.inbox.setFlags(at(engine.source, index), ['\\Answered', `$k${index}`]);
    const fault = engine.servers.target.faults.add({ command: 'UID STORE', nth: 3 }, { kind: 'cut', at: 'after' });
    const { report } = await engine.run();
    expect(fault.fired).toBe(1);
    expect(report).toMatchObject({ exitCode: 0, flagsChanged: 4 });
    expect(contents(engine.target)).toEqual(contents(engine.source));
  });

  it('are not taken for applied when a stop comes while their messages are looked for at the target', async () => {
    using engine = new Engine({ target: { disable: ['UIDPLUS'] } });
    for (let n = 1; n <= 2_000; n++) engine.source.inbox.append(message(7));
    await engine.run();
    engine.source.inbox.setFlags(at(engine.source, 1_999), ['\\Flagged']);
    const stop = new AbortController();
    engine.servers.target.faults.add(
      { command: 'UID FETCH', matches: (line) => line.includes('BODY.PEEK[]') },
      { kind: 'run', run: () => stop.abort() },
    );
    expect((await engine.run({}, { signal: stop.signal })).report).toMatchObject({ exitCode: 130, flagsChanged: 0 });
    expect((await engine.run()).report).toMatchObject({ exitCode: 0, flagsChanged: 1 });
    expect(multisets(engine.target)).toEqual(multisets(engine.source));
  });

  it('find their message by content at a target that tells no UIDs, twins included', async () => {
    using engine = new Engine({ target: { disable: ['UIDPLUS'] } });
    fill(engine.source);
    for (const flags of [['\\Seen'], ['\\Answered'], []]) engine.source.inbox.append(message(50, { flags }));
    await engine.run();
    engine.source.inbox.setFlags(at(engine.source, 4), ['\\Draft']);
    engine.source.inbox.setFlags(at(engine.source, 41), ['\\Seen', '$Twin']);
    const { report } = await engine.run();
    expect(report).toMatchObject({ exitCode: 0, copied: 0, flagsChanged: 2 });
    expect(contents(engine.target)).toEqual(contents(engine.source));
  });

  it('that the target refuses make the run partial, and are tried again', async () => {
    using engine = new Engine();
    fill(engine.source);
    await engine.run();
    engine.source.inbox.setFlags(at(engine.source, 0), ['\\Seen']);
    const answer = { status: 'NO', text: '[NOPERM] not yours' } as const;
    engine.servers.target.faults.add({ command: 'UID STORE', times: 2 }, { kind: 'answer', answer });
    const { report } = await engine.run();
    expect(report).toMatchObject({ exitCode: 3, verdict: 'partial', refused: 1 });
    expect(report.folders[0]?.refused[0]).toMatchObject({
      code: 'FLAGS',
      message: expect.stringContaining('not yours'),
    });
    expect((await engine.run()).report).toMatchObject({ exitCode: 0, flagsChanged: 1 });
    expect(contents(engine.target)).toEqual(contents(engine.source));
  });

  it('before the journal was lost are merged into what is adopted', async () => {
    using engine = new Engine();
    fill(engine.source);
    for (let n = 1; n <= 40; n++) engine.target.inbox.append(message(n, { flags: ['$Mine'] }));
    const { report } = await engine.run();
    expect(report).toMatchObject({ exitCode: 0, copied: 0, alreadyThere: 40, flagsChanged: 40 });
    expect(flagsAt(engine.target, 0)).toEqual(['$Mine', '$Work', '\\Flagged']);
    expect((await engine.run()).report.flagsChanged).toBe(0);
  });
});

describe('flagChanges', () => {
  const columns = (rows: readonly (readonly [uid: number, flags: string])[]) => ({
    uids: Uint32Array.from(rows, ([uid]) => uid),
    flags: Uint32Array.from(rows.keys()),
    flagSets: rows.map(([, flags]) => flags),
  });

  it('groups messages by what happened to them and passes over what is on one side only', () => {
    const applied = {
      uids: Uint32Array.of(1, 2, 4, 5),
      flags: Uint32Array.of(0, 0, 1, 1),
      flagSets: ['\\Seen', 'a B'],
    };
    const now = {
      uids: Uint32Array.of(1, 2, 3, 4, 5),
      flags: Uint32Array.of(0, 0, 0, 1, 2),
      flagSets: ['x', 'b', 'A b \\recent'],
    };
    expect(flagChanges(applied, now, 'mirror')).toEqual([
      { add: ['x'], remove: ['\\Seen'], flags: 'x', uids: [1, 2] },
      { add: [], remove: ['a'], flags: 'b', uids: [4] },
    ]);
    expect(flagChanges(applied, now, 'merge')).toEqual([{ add: ['x'], remove: [], flags: '\\Seen x', uids: [1, 2] }]);
  });

  it('finds nothing where only spelling and order differ', () => {
    expect(flagChanges(columns([[7, '\\SEEN $a']]), columns([[7, '$A \\Seen \\Recent']]), 'mirror')).toEqual([]);
  });
});
