import { describe, expect, test } from 'vitest';
import type { Transport } from '../../src/protocol/types.ts';
import { connectSandbox, type MemoryWireOptions, randomSplitter, SandboxServer } from '../../src/sandbox/index.ts';
import { mail } from './raw-client.ts';

/** A queue of deliveries run by hand. */
class ManualScheduler {
  readonly #waiting: (() => void)[] = [];

  readonly schedule = (deliver: () => void): void => {
    this.#waiting.push(deliver);
  };

  /** Runs deliveries, and those they cause, up to `most`. */
  run(most = Number.POSITIVE_INFINITY): void {
    for (let count = 0; count < most; count++) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      next();
    }
  }
}

function open(server: SandboxServer, options: MemoryWireOptions = {}) {
  const scheduler = new ManualScheduler();
  const transport: Transport = connectSandbox(server, { schedule: scheduler.schedule, ...options });
  const seen = { chunks: [] as Buffer[], drains: 0, closed: undefined as Error | null | undefined };
  transport.start({
    onData: (chunk) => seen.chunks.push(chunk),
    onDrain: () => {
      seen.drains += 1;
    },
    onClose: (error) => {
      seen.closed = error;
    },
  });
  const text = () => Buffer.concat(seen.chunks).toString('latin1');
  const send = (line: string) => transport.write([Buffer.from(`${line}\r\n`, 'latin1')]);
  return { scheduler, transport, seen, text, send };
}

function openServer(options: ConstructorParameters<typeof SandboxServer>[0] = {}) {
  const server = new SandboxServer({ announceCapabilities: false, ...options });
  const alice = server.addAccount({ user: 'alice', password: 'secret' });
  return { server, alice };
}

test('nothing is delivered at once, everything in order', () => {
  const wire = open(openServer().server);
  wire.send('a1 NOOP');
  expect(wire.text()).toBe('');
  wire.scheduler.run();
  expect(wire.text()).toBe('* OK Sandbox ready.\r\na1 OK Noop completed\r\n');
});

test('a splitter cuts the answers without changing them, the same way for the same seed', () => {
  const run = (seed: number) => {
    const wire = open(openServer().server, { split: randomSplitter(seed, 5) });
    wire.send('a1 NOOP');
    wire.scheduler.run();
    return wire.seen.chunks.map((chunk) => chunk.toString());
  };
  expect(run(1).join('')).toBe('* OK Sandbox ready.\r\na1 OK Noop completed\r\n');
  expect(run(1)).toEqual(run(1));
  expect(run(1)).not.toEqual(run(2));
  expect(Math.max(...run(3).map((chunk) => chunk.length))).toBeLessThanOrEqual(5);
});

test('the body a client receives is the stored bytes, not a copy of them', () => {
  const { server, alice } = openServer();
  const stored = alice.inbox.append({ body: Buffer.from(mail('one')) });
  const wire = open(server);
  for (const line of ['a1 LOGIN alice secret', 'a2 EXAMINE INBOX', 'a3 FETCH 1 BODY.PEEK[]']) wire.send(line);
  wire.scheduler.run();
  expect(wire.seen.chunks).toContain(stored.body);
});

test('a paused client is sent nothing, and the server makes no more than a little ahead of it', () => {
  const { server, alice } = openServer();
  const body = Buffer.alloc(100_000, 'x');
  for (let index = 0; index < 200; index++) alice.inbox.append({ body });
  const wire = open(server);
  for (const line of ['a1 LOGIN alice secret', 'a2 EXAMINE INBOX']) wire.send(line);
  wire.scheduler.run();
  let produced = 0;
  server.faults.add({ command: 'FETCH' }, { kind: 'run', at: 'after', run: () => (produced += 1) });
  wire.transport.pause();
  const before = wire.text().length;
  wire.send('a3 FETCH 1:* BODY.PEEK[]');
  wire.scheduler.run();
  expect(wire.text().length).toBe(before);
  expect(produced).toBe(0);
  wire.transport.resume();
  wire.scheduler.run();
  expect(wire.text().length).toBeGreaterThan(20_000_000);
  expect(wire.text().endsWith('a3 OK Fetch completed.\r\n')).toBe(true);
});

test('a client that writes ahead is told to wait, and then to go on', () => {
  const { server, alice } = openServer();
  const wire = open(server, { highWaterBytes: 1000 });
  expect(wire.send('a1 LOGIN alice secret')).toBe(true);
  expect(
    wire.transport.write([Buffer.from('a2 APPEND INBOX {5000+}\r\n'), Buffer.alloc(5000, 'x'), Buffer.from('\r\n')]),
  ).toBe(false);
  expect(wire.seen.drains).toBe(0);
  wire.scheduler.run();
  expect(wire.seen.drains).toBe(1);
  expect(alice.inbox.messages[0]?.body.length).toBe(5000);
});

test('a stalled server lets the client’s bytes pile up and takes them all when it goes on', () => {
  const { server, alice } = openServer();
  const wire = open(server);
  wire.send('a1 LOGIN alice secret');
  const stall = server.faults.add({ command: 'APPEND' }, { kind: 'stall' });
  const body = Buffer.alloc(3 << 20, 'x');
  wire.send(`a2 APPEND INBOX {${body.length}+}`);
  for (let at = 0; at < body.length; at += 65_536) wire.transport.write([body.subarray(at, at + 65_536)]);
  wire.send('');
  wire.scheduler.run();
  expect(wire.seen.drains).toBe(0);
  stall.release();
  wire.scheduler.run();
  expect(wire.seen.drains).toBe(1);
  expect(wire.text()).toContain('a2 OK');
  expect(alice.inbox.messages[0]?.body.equals(body)).toBe(true);
});

describe('the end', () => {
  test('of an orderly LOGOUT comes after the last answer, without an error', () => {
    const wire = open(openServer().server);
    wire.send('a1 LOGOUT');
    wire.scheduler.run();
    expect(wire.text()).toMatch(/a1 OK Logout completed\r\n$/);
    expect(wire.seen.closed).toBe(null);
  });

  test('of a cut comes with an error', () => {
    const { server } = openServer();
    server.faults.add({ command: 'NOOP' }, { kind: 'cut' });
    const wire = open(server);
    wire.send('a1 NOOP');
    wire.scheduler.run();
    expect(wire.seen.closed).toBeInstanceOf(Error);
  });

  test('by the client takes what it wrote to the server and brings no answer back', () => {
    const { server, alice } = openServer();
    const wire = open(server);
    wire.send('a1 LOGIN alice secret');
    wire.scheduler.run();
    const before = wire.text();
    wire.send('a2 APPEND INBOX {1+}');
    wire.send('x');
    wire.transport.close();
    wire.scheduler.run();
    expect(alice.inbox.messages.length).toBe(1);
    expect(wire.text()).toBe(before);
    expect(wire.seen.closed).toBe(null);
    expect({ sessions: server.sessions.size, connections: alice.connections }).toEqual({ sessions: 0, connections: 0 });
  });
});

describe('STARTTLS', () => {
  test('makes both sides secure', async () => {
    const { server } = openServer({ requireTls: true });
    const wire = open(server);
    wire.send('a1 STARTTLS');
    wire.scheduler.run();
    expect(wire.transport.secure).toBe(false);
    await wire.transport.upgrade();
    expect(wire.transport.secure).toBe(true);
    wire.send('a2 LOGIN alice secret');
    wire.scheduler.run();
    expect(wire.text()).toContain('a2 OK Logged in');
  });

  test('fails when clear text comes after the go-ahead', async () => {
    const { server } = openServer();
    const wire = open(server, { split: (bytes) => [bytes.subarray(0, -1), bytes.subarray(-1)] });
    wire.scheduler.run();
    wire.send('a1 STARTTLS');
    wire.scheduler.run(1);
    await expect(wire.transport.upgrade()).rejects.toThrow('clear text');
  });

  test('is not offered on a wire that is secure already', () => {
    const wire = open(openServer().server, { secure: true });
    wire.send('a1 CAPABILITY');
    wire.scheduler.run();
    expect(wire.text()).not.toContain('STARTTLS');
  });
});
