import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { ImapEndpoint } from '../../src/worker/imap-endpoint.ts';
import { Engine } from '../support/engine.ts';

const raw = (name: string) => ({ raw: name });

describe('flags of several folders, changed on one connection at once', () => {
  it('reach the messages they are for', async () => {
    using engine = new Engine();
    const folders = ['A', 'B'].map((name) => engine.target.createMailbox(name));
    for (const folder of folders) for (let n = 1; n <= 250; n++) folder.append({ body: `Subject: ${n}\r\n\r\n` });
    const { target } = engine.settings();
    await using endpoint = await ImapEndpoint.open('target', target, engine.connect, systemClock);
    // One change a message: several windows of commands each, with others' business between them.
    const task = (name: string, flag: string) => ({
      folder: raw(name),
      uidValidity: engine.target.mailbox(name).uidValidity,
      changes: Array.from({ length: 250 }, (_, n) => ({ add: [flag], remove: [], uids: Uint32Array.of(n + 1) })),
    });
    const refusals = await Promise.all([
      endpoint.storeFlags(task('A', '\\Flagged')),
      endpoint.storeFlags(task('B', '\\Answered')),
      endpoint.openForWriting(raw('INBOX')),
    ]);
    expect(refusals.slice(0, 2)).toMatchObject([{ refusal: null }, { refusal: null }]);
    const flagsOf = (folder: (typeof folders)[number] | undefined) =>
      new Set(folder?.messages.map(({ flags }) => [...flags].join(' ')));
    expect(folders.map(flagsOf)).toEqual([new Set(['\\Flagged']), new Set(['\\Answered'])]);
  });
});

describe('folders that are being made', () => {
  it.each(['before', 'after'] as const)('when the connection is lost end the run with one error, %s', async (at) => {
    using engine = new Engine();
    for (const name of ['A', 'B', 'C']) engine.source.createMailbox(name, { subscribed: true });
    engine.servers.target.faults.add({ command: 'CREATE', nth: 2 }, { kind: 'cut', at });
    const { report } = await engine.run({ connections: 1 });
    const failure = { message: expect.stringMatching(/^target .*connection was lost/) };
    expect(report).toMatchObject({ exitCode: 4, verdict: 'failed', failure });
    expect((await engine.run({ connections: 1 })).report).toMatchObject({ exitCode: 0, verdict: 'complete' });
    expect([...engine.target.subscriptions].sort()).toEqual(['A', 'B', 'C']);
  });
});
