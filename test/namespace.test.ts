import { describe, expect, it } from 'vitest';
import { Engine } from './support/engine.ts';

const refusal = { kind: 'answer', answer: { status: 'NO', text: 'not now' } } as const;

function prefixedEngine(): Engine {
  const engine = new Engine({ source: { personalPrefix: 'INBOX.', delimiter: '.' } });
  engine.source.createMailbox(['Work']).append({ body: 'Message-ID: <1@x>\r\n\r\n1\r\n' });
  return engine;
}

describe('a server that refuses NAMESPACE', () => {
  it('is asked once more, and its folders keep their names', async () => {
    using engine = prefixedEngine();
    engine.servers.source.faults.add({ command: 'NAMESPACE' }, refusal);
    expect((await engine.run()).report).toMatchObject({ exitCode: 0, copied: 1 });
    expect([...engine.target.mailboxes.keys()].sort()).toEqual(['INBOX', 'Work']);
  });

  it('is not guessed at: nothing is copied to folders of other names', async () => {
    using engine = prefixedEngine();
    engine.servers.source.faults.add({ command: 'NAMESPACE', times: 2 }, refusal);
    await expect(engine.run()).rejects.toMatchObject({
      code: 'NAMESPACE',
      exitCode: 4,
      message: expect.stringContaining('set prefix and delimiter'),
    });
    expect([...engine.target.mailboxes.keys()]).toEqual(['INBOX']);
  });

  it('is not needed where the account says how folders are named', async () => {
    using engine = prefixedEngine();
    engine.servers.source.faults.add({ command: 'NAMESPACE', times: Number.POSITIVE_INFINITY }, refusal);
    const { source } = engine.settings();
    const { report } = await engine.run({ source: { ...source, prefix: 'INBOX.', delimiter: '.' } });
    expect(report).toMatchObject({ exitCode: 0, copied: 1 });
    expect([...engine.target.mailboxes.keys()].sort()).toEqual(['INBOX', 'Work']);
  });
});
