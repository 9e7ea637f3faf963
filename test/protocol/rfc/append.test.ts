import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { ByteSource } from '../../../src/protocol/byte-source.ts';
import { UsageError } from '../../../src/protocol/errors.ts';
import { playDialogues } from '../../support/dialogue.ts';
import { openScripted, rejection, selecting } from '../../support/scripted-session.ts';

async function* chunks(...parts: (Buffer | string)[]): AsyncGenerator<Buffer | string> {
  for (const part of parts) yield part;
}

const sized = (...parts: string[]) => ({ size: parts.join('').length, stream: chunks(...parts) });

describe('RFC 3502: MULTIAPPEND', () => {
  playDialogues([
    {
      name: 'several messages with flags and dates of their own, all or none (6.3.11)',
      capabilities: 'MULTIAPPEND UIDPLUS',
      transcript: `
        C: $A APPEND "saved-messages" (\\Seen) {5}
        S: + Ready for literal data
        C: first (\\Seen) " 7-Feb-1994 22:43:04 -0800" {6}
        S: + Ready for literal data
        C: second {5}
        S: + Ready
        C: third
        S: $A OK [APPENDUID 38505 3955:3957] APPEND completed
        C: $B APPEND "saved-messages" {1}
        S: + Ready
        C: a {1}
        S: $B NO [TOOBIG] too large`,
      run: async (client) => {
        const stored = await client.multiappend('saved-messages', [
          { body: sized('fi', '', 'rst'), flags: ['\\Seen'] },
          { body: 'second', flags: ['\\Seen'], internalDate: ' 7-Feb-1994 22:43:04 -0800' },
          Buffer.from('third'),
        ]);
        const error = await rejection(client.multiappend('saved-messages', ['a', 'b']));
        return [stored, error.message];
      },
      result: [{ uidValidity: 38505, uids: [3955, 3956, 3957] }, 'APPEND: NO [TOOBIG] too large'],
    },
  ]);
});

describe('RFC 7888: LITERAL+ and LITERAL-', () => {
  playDialogues([
    {
      name: 'LITERAL+: everything goes along, streams too, and the next command behind them',
      capabilities: 'LITERAL+ MULTIAPPEND',
      transcript: `
        C: $A APPEND "x" {5+}
        C: hello {0+}
        C:  {3+}
        C: abc
        C: $B NOOP
        S: $A OK done
        S: $B OK done`,
      run: async (client) => {
        const messages = [{ body: sized('h', 'ell', 'o') }, { body: sized() }, Buffer.from('abc')];
        await Promise.all([client.multiappend('x', messages), client.noop()]);
      },
      result: undefined,
    },
    {
      name: 'LITERAL-: small ones go along, others wait (5)',
      capabilities: 'LITERAL-',
      transcript: `
        C: $A APPEND "x" {2+}
        C: ab
        S: $A OK done
        C: $B APPEND "x" {4097}
        S: + go
        C: ${'y'.repeat(4097)}
        S: $B OK done`,
      run: async (client) => {
        await client.append('x', { body: sized('ab') });
        await client.append('x', { body: sized('y'.repeat(4000), 'y'.repeat(97)) });
      },
      result: undefined,
    },
  ]);
});

describe('RFC 7889: APPENDLIMIT', () => {
  playDialogues([
    {
      name: 'one limit for all folders (2), or one for each (3)',
      capabilities: 'APPENDLIMIT=257890',
      transcript: `
        C: $A APPEND "x" {3}
        S: $A NO [TOOBIG] APPENDLIMIT exceeded`,
      run: async (client) => [client.appendLimit, (await rejection(client.append('x', 'abc'))).message],
      result: [257890, 'APPEND: NO [TOOBIG] APPENDLIMIT exceeded'],
    },
  ]);
});

describe('RFC 3516: BINARY', () => {
  playDialogues([
    {
      name: 'decoded parts and their sizes are fetched (4.2, 4.3), and NUL bytes stored (4.4)',
      capabilities: 'BINARY LITERAL+',
      transcript: `${selecting(10)}
        C: $A FETCH 2 (BINARY.PEEK[1.2] BINARY.SIZE[1.2] BINARY.SIZE[])
        S: * 2 FETCH (BINARY[1.2] ~{4}
        S: a\0b\xff BINARY.SIZE[1.2] 4 BINARY.SIZE[] 90)
        S: $A OK done
        C: $B UID FETCH 7 (BINARY[2]<10.3>)
        S: * 3 FETCH (UID 7 BINARY[2]<10> {3}
        S: abc)
        S: $B OK done
        C: $C FETCH 4 (BINARY.PEEK[3])
        S: $C NO [UNKNOWN-CTE] Weird
        C: $D APPEND "x" (\\Seen) ~{3+}
        C: a\0b
        S: $D OK done`,
      run: async (client) => {
        await client.selectFolder('INBOX');
        const items = ['BINARY.PEEK[1.2]', 'BINARY.SIZE[1.2]', 'BINARY.SIZE[]'];
        const parts = (await client.fetch(2, items, { useUid: false })).get(2);
        const stretch = (await client.fetch(7, 'BINARY[2]<10.3>')).get(7)?.sections;
        const error = await rejection(client.fetch(4, 'BINARY.PEEK[3]', { useUid: false }));
        await client.append('x', { body: Buffer.from('a\0b'), content: 'binary', flags: ['\\Seen'] });
        return [parts?.sections, parts?.binarySizes, stretch, error.message];
      },
      result: [
        new Map([['BINARY[1.2]', Buffer.from('a\0b\xff', 'latin1')]]),
        new Map([
          ['1.2', 4],
          ['', 90],
        ]),
        new Map([['BINARY[2]<10>', Buffer.from('abc')]]),
        'FETCH: NO [UNKNOWN-CTE] Weird',
      ],
    },
  ]);
});

describe('RFC 4315: UIDPLUS, RFC 6851: MOVE', () => {
  playDialogues([
    {
      name: 'UIDs of what was stored, copied and moved (RFC 4315 3, RFC 6851 4.3)',
      capabilities: 'UIDPLUS MOVE QRESYNC ENABLE',
      transcript: `${selecting(100)}
        C: $A UID COPY 3000:3001 "meeting"
        S: $A OK [COPYUID 38505 3000:3001 3956:3957] Done
        C: $B UID COPY 3002 "meeting"
        S: $B OK No messages found
        C: $C UID EXPUNGE 3000:3002
        S: * 3 EXPUNGE
        S: * 3 EXPUNGE
        S: $C OK UID EXPUNGE completed
        C: $D UID MOVE 42:69 "foo"
        S: * OK [COPYUID 432432 42:44 1202:1204]
        S: * 22 EXPUNGE
        S: * 99 EXISTS
        S: $D OK Done
        C: $E UID MOVE 45 "foo"
        S: * OK [COPYUID 432432 45 1205]
        S: * VANISHED 45
        S: $E OK [HIGHESTMODSEQ 20] Done`,
      run: async (client) => {
        await client.selectFolder('INBOX');
        return [
          await client.copy('3000:3001', 'meeting'),
          await client.copy(3002, 'meeting'),
          await client.uidExpunge('3000:3002'),
          (await client.move('42:69', 'foo'))?.targetUids,
          await client.move(45, 'foo'),
          client.selected?.exists,
        ];
      },
      result: [
        { uidValidity: 38505, sourceUids: Uint32Array.of(3000, 3001), targetUids: Uint32Array.of(3956, 3957) },
        null,
        2,
        Uint32Array.of(1202, 1203, 1204),
        { uidValidity: 432432, sourceUids: Uint32Array.of(45), targetUids: Uint32Array.of(1205) },
        98,
      ],
    },
  ]);
});

describe('a stream to store', () => {
  it('is read no faster than the server takes it, and not at all before its turn', async () => {
    let read = 0;
    const { client, server } = await openScripted('C: $A APPEND "x" {4000000}\nX: wait\nS: $A NO too big');
    async function* source() {
      for (; read < 4; read++) yield Buffer.alloc(1_000_000);
    }
    expect(await rejection(client.append('x', { body: { size: 4_000_000, stream: source() } }))).toMatchObject({
      code: 'NO',
    });
    await server.done;
    expect(read).toBe(0);
  });

  it('may be a stream of Node, and big', async () => {
    const size = 3_000_000;
    const text = Buffer.alloc(size, 'abcdefghij\r\n').toString('latin1');
    const { client, server } = await openScripted(
      `C: $A APPEND "x" {${size}+}\n${text
        .split('\r\n')
        .map((line) => `C: ${line}`)
        .join('\n')}\nS: $A OK done`,
      { capabilities: 'LITERAL+' },
    );
    const stream = Readable.from([Buffer.from(text.slice(0, 100)), Buffer.from(text.slice(100))]);
    await client.append('x', { body: { size, stream } });
    await server.done;
  });

  it.each<[string, () => AsyncIterable<string>, RegExp]>([
    ['ends too early', () => chunks('ab') as AsyncGenerator<string>, /ended after 2 bytes of 5/],
    ['holds too much', () => chunks('ab', 'cdef') as AsyncGenerator<string>, /more than the 5 bytes/],
    [
      'fails',
      async function* () {
        yield 'ab';
        throw new Error('disk gone');
      },
      /failed/,
    ],
  ])('that %s ends the session', async (_what, stream, words) => {
    const { client } = await openScripted('X: gone', { capabilities: 'LITERAL+', mayRunAhead: true });
    const error = await rejection(client.append('x', { body: { size: 5, stream: stream() } }));
    expect(error).toMatchObject({ code: 'CLOSED', cause: expect.objectContaining({ code: 'USAGE' }) });
    expect((error.cause as Error).message).toMatch(words);
    expect(client.closed).toBe(true);
  });

  it('that is slow is not taken for a server that is silent', async () => {
    let go: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    async function* source() {
      yield 'ab';
      await gate;
      yield 'cd';
    }
    const { client, clock } = await openScripted('C: $A APPEND "x" {4+}\nC: abcd\nS: $A OK done', {
      capabilities: 'LITERAL+',
    });
    const stored = client.append('x', { body: { size: 4, stream: source() } });
    await clock.advance(600_000);
    go();
    await stored;
  });

  it('is let go when the session ends', async () => {
    let left = false;
    async function* source() {
      try {
        for (;;) yield Buffer.alloc(1000);
      } finally {
        left = true;
      }
    }
    const { client, server } = await openScripted('C: $A APPEND "x" {9000000000}\nS: + go\nX: gone', {
      mayRunAhead: true,
    });
    const stored = rejection(client.append('x', { body: { size: 9_000_000_000, stream: source() } }));
    while (server.unexpected.length < 5_000) await new Promise(setImmediate);
    client.close();
    expect(await stored).toMatchObject({ code: 'CLOSED' });
    while (!left) await new Promise(setImmediate);
  });

  it.each([-1, 1.5, Number.NaN])('of %d bytes is refused', (size) => {
    expect(() => new ByteSource(chunks(), size)).toThrow(UsageError);
  });
});
