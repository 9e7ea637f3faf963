import { describe, expect, it } from 'vitest';
import { ImapClient } from '../../src/protocol/client.ts';
import { noopCommand, startTlsCommand } from '../../src/protocol/commands/session.ts';
import { Connection } from '../../src/protocol/connection.ts';
import { ByeError, type ImapError } from '../../src/protocol/errors.ts';
import { type Limits, resolveLimits } from '../../src/protocol/limits.ts';
import { createMemoryPair } from '../../src/protocol/transport-memory.ts';
import type { Transport, TransportHandlers } from '../../src/protocol/types.ts';
import { connectSandbox, SandboxServer } from '../../src/sandbox/index.ts';
import { ManualClock, scriptedPair, turns } from '../../src/testing/index.ts';
import { FarLine } from '../support/far-line.ts';
import { openScripted, rejection, selecting } from '../support/scripted-session.ts';

const message = (text: string) => ({ body: Buffer.from(text) });

describe('a refused literal', () => {
  it.each(['NO', 'BAD'])('is not sent after a tagged %s, and the session goes on', async (word) => {
    const { client, server } = await openScripted(`
      C: $A APPEND "t" {5}
      S: $A ${word} [OVERQUOTA] full
      C: $B NOOP
      S: $B OK done`);
    const error = await rejection(client.append('t', message('hello')));
    expect(error).toMatchObject({
      name: 'CommandError',
      status: word,
      responseCode: 'OVERQUOTA',
      outcomeUnknown: false,
    });
    await client.noop();
    await server.done;
    expect(server.unexpected).toBe('');
  });

  it('in the middle of a MULTIAPPEND ends the command there', async () => {
    const { client, server } = await openScripted(
      `
      C: $A APPEND "t" {3}
      S: + one
      C: one {3}
      S: $A NO [TOOBIG] second is too big
      C: $B NOOP
      S: $B OK done`,
      { capabilities: 'MULTIAPPEND' },
    );
    const appending = client.multiappend('t', [message('one'), message('two'), message('six')]);
    expect(await rejection(appending)).toMatchObject({ responseCode: 'TOOBIG' });
    await client.noop();
    await server.done;
  });

  it('that does not wait for the go-ahead is sent to its end all the same', async () => {
    const [transport, other] = createMemoryPair({ highWaterMark: 64 * 1024 });
    let received = '';
    let held = true;
    other.start({
      onData: (chunk) => {
        received += chunk.toString('latin1');
      },
      onDrain: () => {},
      onClose: () => {},
    });
    other.write([Buffer.from('* OK [CAPABILITY IMAP4rev1 LITERAL+] hi\r\n')]);
    const client = await ImapClient.connect({ host: 'test', transport });
    other.pause();
    const appending = rejection(client.append('t', { body: Buffer.alloc(2_000_000, 'x') }));
    const next = client.noop();
    await turns(3);
    other.resume();
    await turns(1);
    other.pause();
    held = received.length < 2_000_000;
    const tag = received.split(' ', 1)[0] ?? '';
    other.write([Buffer.from(`${tag} NO full\r\n`)]);
    await turns(5);
    other.resume();
    expect(await appending).toMatchObject({ name: 'CommandError', status: 'NO' });
    await turns(60);
    expect(held).toBe(true);
    expect(received).toMatch(/\{2000000\+\}\r\nx{2000000}\r\n\w+ NOOP\r\n$/);
    other.write([Buffer.from(`${received.trim().split('\r\n').at(-1)?.split(' ', 1)[0]} OK\r\n`)]);
    await next;
  });
});

describe('a server out of step', () => {
  it.each<[string, string]>([
    ['a tag that was never sent', 'S: $Z OK done'],
    ['a tag that was answered before', 'S: $N OK again'],
    ['a go-ahead that nothing waits for', 'S: + go'],
    ['an answer without a status', 'S: $A MAYBE'],
    ['a line that is no response', 'S: hello'],
    ['a number that is none', 'S: * 99999999999 EXISTS'],
  ])('%s ends the session with a ProtocolError', async (_what, line) => {
    const { client, server } = await openScripted(`C: $N NOOP\nS: $N OK done\nC: $A NOOP\n${line}\nX: gone`);
    await client.noop();
    expect(await rejection(client.noop())).toMatchObject({ name: 'ProtocolError', code: 'PROTOCOL' });
    expect(client.closed).toBe(true);
    await server.done;
  });

  it('an OK before the literal was sent ends the session', async () => {
    const { client } = await openScripted('C: $A APPEND "t" {5}\nS: $A OK done\nX: gone');
    const error = await rejection(client.append('t', message('hello')));
    expect(error).toMatchObject({ name: 'ProtocolError', outcomeUnknown: false });
  });

  it('a second go-ahead ends the session, and the outcome is unknown', async () => {
    const { client } = await openScripted('C: $A APPEND "t" {5}\nS: + go\nC: hello\nS: + more\nX: gone');
    const error = await rejection(client.append('t', message('hello')));
    expect(error).toMatchObject({ name: 'ProtocolError', outcomeUnknown: true });
  });

  it('a response above the limits ends the session with a LimitError', async () => {
    const { client } = await openScripted('C: $A NOOP\nS: * X {99999999999}\nX: gone');
    expect(await rejection(client.noop())).toMatchObject({ name: 'LimitError', code: 'LIMIT' });
  });

  it.each<[string, Partial<Limits>, string, (client: ImapClient) => Promise<unknown>]>([
    [
      'more folders than anybody has',
      { maxResponses: 8 },
      `C: $A LIST "" "*"\n${'S: * LIST () "/" a\n'.repeat(9)}X: gone`,
      (client) => client.listFolders(),
    ],
    [
      'more hits than allowed',
      { maxSearchHits: 3 },
      'C: $A UID SEARCH ALL\nS: * SEARCH 1 2 3 4\nX: gone',
      (client) => client.search('ALL'),
    ],
    [
      'a range of more hits than allowed',
      { maxSearchHits: 3 },
      'C: $A UID SEARCH RETURN (ALL) ALL\nS: * ESEARCH (TAG "$A") UID ALL 1:4294967295\nX: gone',
      (client) => client.search('ALL'),
    ],
    [
      'ranges within one answer that are told again and again',
      { maxSearchHits: 5 },
      'C: $A UID SEARCH RETURN (ALL) ALL\nS: * ESEARCH (TAG "$A") UID ALL 1:3 ALL 1:3\nX: gone',
      (client) => client.search('ALL'),
    ],
    [
      'one range in many answers',
      { maxSearchHits: 5 },
      'C: $A UID SEARCH RETURN (ALL) ALL\nS: * ESEARCH (TAG "$A") UID ALL 1:3\nS: * ESEARCH (TAG "$A") UID ALL 1:3\nX: gone',
      (client) => client.searchExtended('ALL', { all: true }),
    ],
    [
      'hits of both kinds that are together more than allowed',
      { maxSearchHits: 5 },
      'C: $A UID SEARCH RETURN (ALL) ALL\nS: * SEARCH 1 2 3\nS: * ESEARCH (TAG "$A") UID ALL 1:3\nX: gone',
      (client) => client.search('ALL'),
    ],
    [
      'a stretch longer than was asked for',
      {},
      'C: $A UID SEARCH RETURN (PARTIAL -1:-5) ALL\nS: * ESEARCH (TAG "$A") UID PARTIAL (-1:-5 1:6)\nX: gone',
      (client) => client.searchExtended('ALL', { partial: [-1, -5] }),
    ],
  ])('%s end the session with a LimitError', async (_what, limits, transcript, run) => {
    const capabilities = transcript.includes('RETURN') ? 'ESEARCH PARTIAL' : '';
    const { client } = await openScripted(selecting() + transcript, { capabilities, connect: { limits } });
    await client.selectFolder('INBOX');
    expect(await rejection(run(client))).toMatchObject({ name: 'LimitError' });
  });

  it('a handler of unsolicited data that throws ends the session with that as the cause', async () => {
    const { client } = await openScripted('C: $A NOOP\nS: * 1 EXISTS\nX: gone');
    const cause = new Error('handler');
    client.onUnsolicited = () => {
      throw cause;
    };
    expect(await rejection(client.noop())).toMatchObject({ name: 'ConnectionClosedError', cause });
  });
});

describe('a transport that answers at once', () => {
  it('is read in order, not in the middle of a response', async () => {
    let handlers: TransportHandlers | null = null;
    let tag = '';
    const transport: Transport = {
      secure: false,
      description: 'immediate',
      start: (given) => {
        handlers = given;
        given.onData(Buffer.from('* OK [CAPABILITY IMAP4rev1] hi\r\n'));
      },
      write: (parts) => {
        const line = Buffer.concat(parts).toString('latin1');
        tag = /^[A-Z]{5}\d+/.exec(line)?.[0] ?? tag;
        const answer = line.endsWith('{5}\r\n') ? '+ go\r\n* 1 EXISTS\r\n' : `${tag} OK done\r\n* 2 EXISTS\r\n`;
        handlers?.onData(Buffer.from(answer));
        return true;
      },
      pause: () => {},
      resume: () => {},
      upgrade: () => Promise.resolve(),
      close: () => {},
      end: () => {},
    };
    const client = await ImapClient.connect({ host: 'test', transport, clock: new ManualClock() });
    const news: unknown[] = [];
    client.onUnsolicited = (data) => news.push(data.kind === 'exists' ? data.count : data);
    await Promise.all([client.noop(), client.append('t', message('hello')), client.noop()]);
    expect(news).toEqual([2, 1, 2, 2]);
    client.close();
  });
});

describe('tags', () => {
  it('differ from connection to connection and from command to command', async () => {
    const seen = new Set<string>();
    for (let connection = 0; connection < 5; connection++) {
      const { client, server } = await openScripted('');
      await server.done;
      void rejection(client.noop());
      void rejection(client.noop());
      await turns(3);
      for (const line of server.unexpected.trim().split('\r\n')) seen.add(line.split(' ', 1)[0] ?? '');
      client.close();
    }
    expect(seen.size).toBe(10);
  });
});

describe('BYE', () => {
  it("fails everything under way with the server's words", async () => {
    const { client } = await openScripted(
      `
      C: $A NOOP
      C: $B APPEND "t" {1+}
      C: x
      S: * BYE [UNAVAILABLE] going down
      X: gone`,
      { capabilities: 'LITERAL+ ENABLE' },
    );
    const errors = await Promise.all([
      rejection(client.noop()),
      rejection(client.append('t', message('x'))),
      rejection(client.enable('X')),
    ]);
    for (const error of errors) {
      expect(error).toBeInstanceOf(ByeError);
      expect(error).toMatchObject({ responseCode: 'UNAVAILABLE', text: 'going down' });
    }
    // Sent and perhaps executed; harmless to repeat; never sent.
    expect(errors.map((error) => (error as ImapError).outcomeUnknown)).toEqual([false, true, false]);
    expect(client.closed).toBe(true);
  });

  it('is the last that is heard', async () => {
    const [transport, other] = createMemoryPair();
    other.start({ onData: () => {}, onDrain: () => {}, onClose: () => {} });
    other.write([Buffer.from('* OK [CAPABILITY IMAP4rev1] hi\r\n')]);
    const client = await ImapClient.connect({ host: 'test', transport, clock: new ManualClock() });
    const news: unknown[] = [];
    client.onUnsolicited = (data) => news.push(data.kind);
    const noop = rejection(client.noop());
    other.write([Buffer.from('* 3 FETCH (UID 1)\r\n* BYE\r\n* 4 FETCH (UID 2)\r\n* 5 EXISTS\r\n')]);
    expect(await noop).toBeInstanceOf(ByeError);
    expect(news).toEqual(['fetch']);
  });

  it('instead of a greeting is a ByeError', async () => {
    const [transport, other] = createMemoryPair();
    other.start({ onData: () => {}, onDrain: () => {}, onClose: () => {} });
    other.write([Buffer.from('* BYE [UNAVAILABLE] too many connections\r\n')]);
    const error = await rejection(ImapClient.connect({ host: 'test', transport, clock: new ManualClock() }));
    expect(error).toMatchObject({ name: 'ByeError', responseCode: 'UNAVAILABLE' });
  });
});

describe('an unanswered APPEND', () => {
  const cases: [string, string, string, boolean][] = [
    ['waits for its go-ahead', '', 'C: $A APPEND "t" {5}\nX: close', false],
    ['was sent to its end', '', 'C: $A APPEND "t" {5}\nS: + go\nC: hello\nX: close', true],
    ['was sent to its end at once', 'LITERAL+', 'C: $A APPEND "t" {5+}\nC: hello\nX: close', true],
  ];
  it.each(cases)('that %s: the outcome is known or not', async (_state, capabilities, transcript, outcomeUnknown) => {
    const { client } = await openScripted(transcript, { capabilities });
    const error = await rejection(client.append('t', message('hello')));
    expect(error).toMatchObject({ name: 'ConnectionClosedError', outcomeUnknown });
  });

  it('with a first literal sent and the second refused by a cut was not executed', async () => {
    const { client } = await openScripted('C: $A APPEND "t" {3}\nS: + go\nC: one {3}\nX: close', {
      capabilities: 'MULTIAPPEND',
    });
    const error = await rejection(client.multiappend('t', [message('one'), message('two')]));
    expect(error).toMatchObject({ outcomeUnknown: false });
  });

  it('that is cut by ourselves has an unknown outcome, too', async () => {
    const { client } = await openScripted('C: $A APPEND "t" {5+}\nC: hello', { capabilities: 'LITERAL+' });
    const appending = rejection(client.append('t', message('hello')));
    client.close();
    expect(await appending).toMatchObject({ name: 'ConnectionClosedError', outcomeUnknown: true });
  });
});

describe('the greeting', () => {
  it.each([
    ['SSH-2.0-OpenSSH_9.2\r\n', /SSH server/],
    ['HTTP/1.1 400 Bad Request\r\n', /web server/],
    ['220 mail.test ESMTP\r\n', /mail submission/],
    ['+OK POP3 ready\r\n', /POP3/],
    ['\x15\x03\x01\x00\x02\x02\x50', /TLS from the first byte/],
    ['garbage', /does not speak IMAP/],
    ['* NO go away\r\n', /turned us away.*go away/],
    ['* 1 EXISTS\r\n', /does not speak IMAP/],
    ['* 1 FETCH (UID 1)\r\n', /does not speak IMAP/],
    ['* \r\n', /does not speak IMAP/],
  ])('%j is none: ConnectError', async (bytes, words) => {
    const [transport, other] = createMemoryPair({ description: 'imap://there:143' });
    other.start({ onData: () => {}, onDrain: () => {}, onClose: () => {} });
    other.write([Buffer.from(bytes, 'latin1')]);
    const error = await rejection(ImapClient.connect({ host: 'test', transport, clock: new ManualClock() }));
    expect(error).toMatchObject({ name: 'ConnectError', code: 'CONNECT' });
    expect(error.message).toMatch(words);
    expect(error.message).toContain('there:143');
  });

  it('that does not come in time is a ConnectError, and nothing is left running', async () => {
    const clock = new ManualClock();
    const [transport] = createMemoryPair({ description: 'there' });
    const connecting = rejection(
      ImapClient.connect({ host: 'test', transport, clock, timeouts: { connectMs: 5_000 } }),
    );
    await clock.advance(4_999);
    expect(clock.pending).toBe(1);
    await clock.advance(1);
    const error = await connecting;
    expect(error).toMatchObject({ name: 'ConnectError' });
    expect(error.message).toMatch(/there.*5 s/);
    expect(clock.pending).toBe(0);
  });

  it('before which the stream ends is a ConnectError', async () => {
    const [transport, other] = createMemoryPair();
    other.close();
    const error = await rejection(ImapClient.connect({ host: 'test', transport, clock: new ManualClock() }));
    expect(error).toMatchObject({ name: 'ConnectError' });
  });

  it('is not waited for when the caller gives up', async () => {
    const [transport] = createMemoryPair();
    const controller = new AbortController();
    const clock = new ManualClock();
    const connecting = rejection(ImapClient.connect({ host: 'test', transport, clock, signal: controller.signal }));
    const reason = new Error('interrupted');
    controller.abort(reason);
    expect(await connecting).toBe(reason);
    expect(clock.pending).toBe(0);
  });

  it('with PREAUTH is a session that is logged in', async () => {
    const [transport, other] = createMemoryPair();
    other.start({ onData: () => {}, onDrain: () => {}, onClose: () => {} });
    other.write([Buffer.from('* PREAUTH [CAPABILITY IMAP4rev1] hi there\r\n')]);
    const client = await ImapClient.connect({ host: 'test', transport, clock: new ManualClock() });
    expect(client.preauthenticated).toBe(true);
    expect(client.greeting).toEqual({
      status: 'PREAUTH',
      text: 'hi there',
      code: { name: 'CAPABILITY', text: 'IMAP4rev1' },
    });
  });
});

describe('silence', () => {
  const connect = { timeouts: { idleMs: 60_000 } };

  it('ends the session once it has lasted too long, and not before', async () => {
    const { client, clock } = await openScripted('C: $A NOOP', { connect });
    const waiting = rejection(client.noop());
    await clock.advance(59_999);
    expect(client.closed).toBe(false);
    await clock.advance(1);
    expect(await waiting).toMatchObject({ name: 'TimeoutError', code: 'TIMEOUT', outcomeUnknown: false });
    expect(clock.pending).toBe(0);
  });

  it('is no matter while nothing is owed', async () => {
    const { client, clock } = await openScripted('C: $A NOOP\nS: $A OK done', { connect });
    await client.noop();
    expect(clock.pending).toBe(0);
    await clock.advance(1_000_000);
    expect(client.closed).toBe(false);
  });

  it('is broken by every byte that arrives', async () => {
    const { client, server, clock } = await openScripted('C: $A NOOP', { connect });
    const waiting = client.noop();
    await server.done;
    for (let minute = 0; minute < 5; minute++) {
      await clock.advance(50_000);
      server.send('* OK still here\r\n');
      await turns(3);
    }
    expect(client.closed).toBe(false);
    void rejection(waiting);
    await clock.advance(60_000);
    expect(client.closed).toBe(true);
  });

  it('is allowed to last longer after an upload', async () => {
    const { client, clock } = await openScripted(`C: $A APPEND "t" {2000000+}\nC: ${'x'.repeat(2_000_000)}`, {
      connect,
      capabilities: 'LITERAL+',
    });
    const appending = rejection(client.append('t', { body: Buffer.alloc(2_000_000, 'x') }));
    await turns(30);
    await clock.advance(100_000);
    expect(client.closed).toBe(false);
    await clock.advance(60_000);
    expect(await appending).toMatchObject({ name: 'TimeoutError', outcomeUnknown: true });
  });

  it('while we do not read ourselves is not held against the server', async () => {
    const { client, clock } = await openScripted('C: $A NOOP', { connect });
    const waiting = rejection(client.noop());
    await turns(3);
    client.pause();
    await clock.advance(500_000);
    expect(client.closed).toBe(false);
    client.resume();
    await clock.advance(60_000);
    expect(await waiting).toMatchObject({ name: 'TimeoutError' });
  });

  it('of a peer that does not take our bytes is silence', async () => {
    const clock = new ManualClock();
    const [transport, other] = createMemoryPair({ highWaterMark: 1000 });
    other.start({ onData: () => {}, onDrain: () => {}, onClose: () => {} });
    other.write([Buffer.from('* OK [CAPABILITY IMAP4rev1 LITERAL+] hi\r\n')]);
    const client = await ImapClient.connect({ host: 'test', transport, clock, ...connect });
    other.pause();
    const appending = rejection(client.append('t', { body: Buffer.alloc(1_000_000) }));
    await clock.advance(75_000);
    expect(await appending).toMatchObject({ name: 'TimeoutError', outcomeUnknown: true });
  });
});

describe('the round trip time', () => {
  it('is that of the fastest answer', async () => {
    const line = new FarLine(80);
    const server = new SandboxServer({ clock: line.clock });
    server.addAccount({ user: 'alice', password: 'secret' });
    const { result: client } = await line.measure(() =>
      ImapClient.connect({ host: 'far', transport: line.lengthen(connectSandbox(server)), clock: line.clock }),
    );
    expect(client.roundTripMs).toBe(Number.POSITIVE_INFINITY);
    server.faults.add({ command: 'LOGIN' }, { kind: 'delay', delayMs: 300 });
    await line.measure(() => client.login('alice', 'secret'));
    expect(client.roundTripMs).toBe(380);
    await line.measure(() => client.append('INBOX', 'Subject: x\n\n'));
    expect(client.roundTripMs).toBe(80);
  });
});

describe('back-pressure', () => {
  it('hands over no more than the transport takes, and goes on when it drains', async () => {
    const written: number[] = [];
    let handlers: TransportHandlers | null = null;
    const transport: Transport = {
      secure: false,
      description: 'narrow',
      start: (given) => {
        handlers = given;
        queueMicrotask(() => given.onData(Buffer.from('* OK [CAPABILITY IMAP4rev1 LITERAL+] hi\r\n')));
      },
      write: (parts) => {
        written.push(parts.reduce((bytes, part) => bytes + part.length, 0));
        return false;
      },
      pause: () => {},
      resume: () => {},
      upgrade: () => Promise.resolve(),
      close: () => {},
      end: () => {},
    };
    const client = await ImapClient.connect({ host: 'test', transport, clock: new ManualClock() });
    const body = { size: 1_000_000, chunks: Array.from({ length: 100 }, () => Buffer.alloc(10_000, 'x')) };
    void rejection(client.append('t', { body }));
    void rejection(client.noop());
    const drained = () => (handlers as TransportHandlers | null)?.onDrain();
    for (let round = 0; round < 20; round++) {
      const before = written.length;
      expect(before).toBe(Math.min(round + 1, written.length));
      drained();
      if (written.length === before) break;
      expect(written.length).toBe(before + 1);
    }
    expect(Math.max(...written)).toBeLessThan(300_000);
    expect(written.length).toBeGreaterThan(4);
    const command = 'ABCDE1 APPEND "t" {1000000+}\r\n\r\n'.length;
    expect(written.reduce((sum, bytes) => sum + bytes, 0)).toBe(1_000_000 + command + 'ABCDE2 NOOP\r\n'.length);
    client.close();
  });

  it('a go-ahead in the middle of what is being handed over ends the session', async () => {
    const [transport, other] = createMemoryPair({ highWaterMark: 1000 });
    other.start({ onData: () => {}, onDrain: () => {}, onClose: () => {} });
    other.write([Buffer.from('* OK [CAPABILITY IMAP4rev1 LITERAL- MULTIAPPEND] hi\r\n')]);
    const client = await ImapClient.connect({ host: 'test', transport, clock: new ManualClock() });
    other.pause();
    const small = Array.from({ length: 100 }, () => ({ body: Buffer.alloc(4096, 'x') }));
    const appending = rejection(client.multiappend('t', [...small, { body: Buffer.alloc(5000) }]));
    other.write([Buffer.from('+ go\r\n')]);
    expect(await appending).toMatchObject({ name: 'ProtocolError', outcomeUnknown: false });
  });

  it('pause keeps answers back until resume', async () => {
    const { client } = await openScripted(`${selecting()}
      C: $A UID FETCH 1 (UID RFC822.SIZE)
      S: * 1 FETCH (UID 1 RFC822.SIZE 5)
      S: $A OK done`);
    await client.selectFolder('INBOX');
    const seen: unknown[] = [];
    const fetching = client.fetchEach([1], ['UID', 'RFC822.SIZE'], (data) => seen.push(data.uid));
    client.pause();
    await turns(20);
    expect(seen).toEqual([]);
    client.resume();
    await fetching;
    expect(seen).toEqual([1]);
  });
});

describe('STARTTLS', () => {
  const offering = 'S: * OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=EVIL] hi\nC: $S STARTTLS\n';
  const connect = (transcript: string) => {
    const { transport, server } = scriptedPair(transcript);
    const options = { host: 'test', transport, clock: new ManualClock(), tls: 'starttls' as const };
    return { connecting: ImapClient.connect(options), server };
  };

  it('forgets what was said in clear text, also between the command and its OK', async () => {
    const { connecting, server } = connect(
      `${offering}S: * CAPABILITY IMAP4rev1 EVIL2\nX: starttls $S OK [CAPABILITY EVIL3] go
      C: $C CAPABILITY\nS: * CAPABILITY IMAP4rev1 GOOD\nS: $C OK done`,
    );
    const client = await connecting;
    await server.done;
    expect(client.secure).toBe(true);
    expect([...(await client.capabilities())]).toEqual(['IMAP4REV1', 'GOOD']);
  });

  it.each([
    ['in the chunk of its OK', String.raw`X: raw "$S OK go\r\n* OK injected\r\n"`],
    ['in part, in the chunk of its OK', String.raw`X: raw "$S OK go\r\n*"`],
    ['as a blank line', String.raw`X: raw "$S OK go\r\n\r\n"`],
    ['as a tagged answer', String.raw`X: raw "$S OK go\r\nX OK\r\n"`],
  ])('is broken off when anything follows %s', async (_where, answer) => {
    const { connecting, server } = connect(`${offering}${answer}\nX: gone`);
    expect(await rejection(connecting)).toMatchObject({ name: 'TlsError' });
    await server.done;
    expect(server.unexpected).toBe('');
  });

  it('is broken off when anything follows later, before TLS is up', async () => {
    const { connecting, server } = connect(`${offering}S: $S OK go\nX: wait\nS: * OK injected\nX: gone`);
    expect(await rejection(connecting)).toMatchObject({ name: 'TlsError' });
    await server.done;
  });

  it('what was asked for meanwhile waits for TLS', async () => {
    const { transport, server } = scriptedPair(
      'S: * OK hi\nC: $S STARTTLS\nX: starttls $S OK go\nC: $A NOOP\nS: $A OK done',
    );
    const trace: string[] = [];
    const connection = new Connection(transport, {
      clock: new ManualClock(),
      idleMs: 1000,
      limits: resolveLimits(),
      trace: ({ direction, text }) => trace.push(`${direction} ${text.replace(/^[A-Z]{5}\d /, '')}`),
      nonSyncLiterals: () => 'none',
      onUnsolicited: () => {},
      onUnsolicitedFetch: () => {},
    });
    await connection.start();
    await Promise.all([connection.startTls(startTlsCommand()), connection.execute(noopCommand())]);
    await server.done;
    expect(trace.slice(1, 5)).toEqual(['sent STARTTLS', 'received OK go', 'note TLS is up', 'sent NOOP']);
  });

  it('nothing is sent before TLS is up', async () => {
    const { connecting, server } = connect(`${offering}S: $S OK go`);
    void rejection(connecting);
    await server.done;
    await turns(10);
    expect(server.unexpected).toBe('');
  });
});
