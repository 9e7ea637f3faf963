import { describe, expect, test } from 'vitest';
import { type FaultAction, type FaultTrigger, SandboxFaults } from '../../src/sandbox/index.ts';
import { mail, openRaw, RawClient } from './raw-client.ts';

const one = mail('one');
const two = mail('two');
const appendBoth = [`a1 APPEND INBOX {${one.length}+}`, `${one} {${two.length}+}`, two];

/** An account with one message, a logged-in client, and a fault armed after the login. */
function openFaulty(trigger: FaultTrigger, action: FaultAction, options: Parameters<typeof openRaw>[0] = {}) {
  const opened = openRaw(options);
  opened.alice.inbox.append({ body: one });
  const fault = opened.server.faults.add(trigger, action);
  return { ...opened, fault };
}

describe('a cut', () => {
  test('before a command leaves it undone', () => {
    const { alice, client, fault, server } = openFaulty({ command: 'APPEND' }, { kind: 'cut' });
    expect(client.say('a0 NOOP', ...appendBoth)).toEqual(['a0 OK Noop completed']);
    expect({ ended: client.ended, stored: alice.inbox.messages.length, fired: fault.fired }).toEqual({
      ended: 'reset',
      stored: 1,
      fired: 1,
    });
    expect(server.faults.log).toEqual([{ fault, connection: 1, command: 'APPEND' }]);
    expect(alice.connections).toBe(0);
  });

  test('after a command leaves it done and unanswered', () => {
    const { alice, client } = openFaulty({ command: 'APPEND' }, { kind: 'cut', at: 'after', reset: false });
    expect(client.say(...appendBoth, 'a2 NOOP')).toEqual([]);
    expect({ ended: client.ended, stored: alice.inbox.messages.length }).toEqual({ ended: 'end', stored: 3 });
  });

  test.each([
    [1, 0],
    [2, 40],
    [2, Number.POSITIVE_INFINITY],
  ])('inside literal %d after %d octets stores nothing', (literal, octets) => {
    for (const pieceBytes of [1, 50, Number.POSITIVE_INFINITY]) {
      const { alice, client, fault } = openFaulty({ command: 'APPEND' }, { kind: 'cut', at: { literal, octets } });
      client.take();
      client.send(`${appendBoth.join('\r\n')}\r\n`, pieceBytes);
      expect(client.take()).toBe('');
      expect({ ended: client.ended, stored: alice.inbox.messages.length, fired: fault.fired }).toEqual({
        ended: 'reset',
        stored: 1,
        fired: 1,
      });
    }
  });

  test('after the last octet has stored the message on a server like Courier', () => {
    const { alice, client } = openFaulty(
      { command: 'APPEND' },
      { kind: 'cut', at: { literal: 1, octets: Number.POSITIVE_INFINITY } },
      { commitAtLastOctet: true },
    );
    client.send(`a1 APPEND INBOX {${two.length}+}\r\n${two}\r\n`);
    expect(client.ended).toBe('reset');
    expect(alice.inbox.messages.length).toBe(2);
  });

  test('so many octets into an answer sends exactly those', () => {
    const { client } = openFaulty({ command: 'UID FETCH', nth: 2 }, { kind: 'cut', at: { answerOctets: 20 } });
    client.say('a1 EXAMINE INBOX', 'a2 UID FETCH 1 FLAGS');
    client.send('a3 UID FETCH 1 BODY.PEEK[]\r\n');
    expect(client.take()).toBe('* 1 FETCH (UID 1 BOD');
    expect(client.ended).toBe('reset');
  });

  test('beyond the end of the answer does not strike the next one', () => {
    const { client, fault } = openFaulty({ command: 'NOOP' }, { kind: 'cut', at: { answerOctets: 30 } });
    expect(client.say('a1 NOOP', 'a2 CAPABILITY').at(-1)).toBe('a2 OK Capability completed');
    expect(fault.fired).toBe(0);
  });

  test('at any byte in either direction is exact, however the bytes are cut', () => {
    const input = 'a1 LOGIN alice secret\r\na2 NOOP\r\n';
    const whole = openRaw({ announceCapabilities: false });
    const reference = new RawClient(whole.server);
    reference.send(input);
    const output = reference.take();
    for (let bytes = 0; bytes <= output.length; bytes++) {
      const { server } = openRaw({ announceCapabilities: false });
      server.faults.add({ direction: 'out', bytes, connection: 2 }, { kind: 'cut' });
      const client = new RawClient(server);
      client.send(input, 3);
      expect(client.take()).toBe(output.slice(0, bytes));
      expect(client.ended).toBe('reset');
    }
    for (let bytes = 1; bytes <= input.length; bytes++) {
      const { server } = openRaw({ announceCapabilities: false });
      server.faults.add({ direction: 'in', bytes, connection: 2 }, { kind: 'cut' });
      const client = new RawClient(server);
      client.send(input);
      expect(server.commandLog.slice(1).map(({ name }) => name)).toEqual(
        bytes < 23 ? [] : bytes < input.length ? ['LOGIN'] : ['LOGIN', 'NOOP'],
      );
      expect(client.ended).toBe('reset');
    }
  });
});

test('several byte faults on one connection each strike at their own byte', () => {
  const { server } = openRaw({ announceCapabilities: false });
  const stalls = [5, 12].map((bytes) =>
    server.faults.add({ direction: 'out', bytes, connection: 2 }, { kind: 'stall' }),
  );
  server.faults.add({ direction: 'out', bytes: 16, connection: 2 }, { kind: 'cut' });
  server.faults.add({ direction: 'in', bytes: 3, connection: 3 }, { kind: 'stall' });
  server.faults.add({ direction: 'in', bytes: 8, connection: 3 }, { kind: 'cut' });
  const client = new RawClient(server);
  const sent = [client.take()];
  for (const stall of stalls) {
    stall.release();
    sent.push(client.take());
  }
  expect(sent).toEqual(['* OK ', 'Sandbox', ' rea']);
  expect(client.ended).toBe('reset');
  const other = new RawClient(server);
  other.send('a1 NOO');
  expect(other.ended).toBe(null);
  other.send('P\r\n');
  expect(other.ended).toBe('reset');
});

describe('a stall', () => {
  test('before a command holds it, and all that follows, until released', () => {
    const { alice, client, fault } = openFaulty({ command: 'APPEND' }, { kind: 'stall' });
    expect(client.say('a0 NOOP', ...appendBoth, 'a2 NOOP')).toEqual(['a0 OK Noop completed']);
    expect({ stalled: fault.stalled, stored: alice.inbox.messages.length }).toEqual({ stalled: 1, stored: 1 });
    fault.release();
    expect(client.takeLines()).toEqual(['a1 OK [APPENDUID 1600000001 2:3] Append completed.', 'a2 OK Noop completed']);
    expect(fault.stalled).toBe(0);
  });

  test('after a command has done its work and holds the answer back', () => {
    const { alice, client, fault } = openFaulty({ command: 'APPEND' }, { kind: 'stall', at: 'after' });
    expect(client.say(...appendBoth)).toEqual([]);
    expect(alice.inbox.messages.length).toBe(3);
    fault.release();
    expect(client.takeLines()).toEqual(['a1 OK [APPENDUID 1600000001 2:3] Append completed.']);
  });

  test('inside an answer or a literal goes on where it stopped', () => {
    const { client, server } = openFaulty({ command: 'NOOP' }, { kind: 'stall', at: { answerOctets: 4 } });
    const inLiteral = server.faults.add({ command: 'APPEND' }, { kind: 'stall', at: { literal: 1, octets: 5 } });
    client.take();
    client.send('a1 NOOP\r\n');
    expect(client.take()).toBe('a1 O');
    server.faults.log[0]?.fault.release();
    expect(client.take()).toBe('K Noop completed\r\n');
    client.send(`a2 APPEND INBOX {10}\r\n0123456789\r\na3 NOOP\r\n`);
    expect(client.take()).toBe('+ OK\r\n');
    inLiteral.release();
    expect(client.takeLines()).toEqual(['a2 OK [APPENDUID 1600000001 2] Append completed.', 'a3 OK Noop completed']);
  });

  test('asks the wire to wait when much has piled up, and to go on afterwards', () => {
    const { server } = openRaw();
    let resumed = 0;
    const client = new RawClient(server, {
      resume: () => {
        resumed += 1;
      },
    });
    const fault = server.faults.add({ command: 'NOOP' }, { kind: 'stall' });
    expect(client.session.receive(Buffer.from('a1 NOOP\r\n'))).toBe(true);
    expect(client.session.receive(Buffer.alloc(2 << 20, '\r\n'))).toBe(false);
    expect(resumed).toBe(0);
    fault.release();
    expect(resumed).toBe(1);
  });

  test('outlives its client: what had arrived is done when it is released, and answered to nobody', () => {
    const { alice, client, fault } = openFaulty({ command: 'APPEND' }, { kind: 'stall' });
    client.say(...appendBoth);
    client.session.closed();
    expect({ stored: alice.inbox.messages.length, connections: alice.connections }).toEqual({
      stored: 1,
      connections: 1,
    });
    fault.release();
    expect({ stored: alice.inbox.messages.length, connections: alice.connections }).toEqual({
      stored: 3,
      connections: 0,
    });
    expect(client.take()).toBe('');
    expect(client.ended).toBe(null);
  });

  test('of a closed connection may be released without harm', () => {
    const { client, fault } = openFaulty({ command: 'NOOP' }, { kind: 'stall' });
    client.say('a1 NOOP');
    client.session.closed();
    fault.release();
    expect(client.take()).toBe('');
  });
});

test('a delay is a stall that the clock releases', () => {
  const waiting: { delayMs: number; callback: () => void }[] = [];
  const clock = {
    now: () => 0,
    after: (delayMs: number, callback: () => void) => {
      waiting.push({ delayMs, callback });
      return () => {};
    },
  };
  const { client } = openFaulty(
    { command: 'NOOP', times: Number.POSITIVE_INFINITY },
    { kind: 'delay', delayMs: 250 },
    { clock },
  );
  expect(client.say('a1 NOOP')).toEqual([]);
  expect(waiting.map(({ delayMs }) => delayMs)).toEqual([250]);
  waiting[0]?.callback();
  expect(client.takeLines()).toEqual(['a1 OK Noop completed']);
});

test('BYE before a command says so and ends', () => {
  const { client } = openFaulty({ command: 'NOOP' }, { kind: 'bye', text: '[UNAVAILABLE] Back at noon' });
  expect(client.say('a1 NOOP', 'a2 NOOP')).toEqual(['* BYE [UNAVAILABLE] Back at noon']);
  expect(client.ended).toBe('end');
});

test('BYE in the middle of an answer loses the rest of it', () => {
  const { client } = openFaulty({ command: 'UID FETCH' }, { kind: 'bye', text: 'gone', at: { answerOctets: 10 } });
  client.say('a1 EXAMINE INBOX');
  client.send('a2 UID FETCH 1 BODY.PEEK[]\r\n');
  expect(client.take()).toBe('* 1 FETCH * BYE gone\r\n');
  expect(client.ended).toBe('end');
});

describe('another answer', () => {
  const answer = { status: 'NO', code: 'UNAVAILABLE', text: 'Request is throttled' } as const;

  test('instead of the work', () => {
    const { alice, client } = openFaulty({ command: 'APPEND', times: 2 }, { kind: 'answer', answer });
    const throttled = (tag: string) => `${tag} NO [UNAVAILABLE] Request is throttled`;
    expect(client.say(...appendBoth)).toEqual([throttled('a1')]);
    expect(client.say(`a2 APPEND INBOX {${one.length}}`, 'a3 NOOP')).toEqual([throttled('a2'), 'a3 OK Noop completed']);
    expect(client.say(...appendBoth)).toEqual(['a1 OK [APPENDUID 1600000001 2:3] Append completed.']);
    expect(alice.inbox.messages.length).toBe(3);
  });

  test('although the work is done', () => {
    const { alice, client } = openFaulty({ command: 'APPEND' }, { kind: 'answer', answer, at: 'after' });
    expect(client.say(...appendBoth)).toEqual(['a1 NO [UNAVAILABLE] Request is throttled']);
    expect(alice.inbox.messages.length).toBe(3);
  });
});

test('an idling client learns after a stall what happened during it', () => {
  const { alice, client, server } = openFaulty({ command: 'NOOP' }, { kind: 'stall' });
  client.say('a1 SELECT INBOX', 'a2 IDLE');
  server.faults.add({ direction: 'in', bytes: 60 }, { kind: 'stall' });
  client.send('x'.repeat(30));
  alice.inbox.append({ body: one });
  expect(client.take()).toBe('');
  server.faults.log[0]?.fault.release();
  expect(client.takeLines()).toEqual(['* 2 EXISTS', '* 2 RECENT']);
});

test('a dropped OK: the work is done, nobody says so, the connection lives', () => {
  const { alice, client } = openFaulty({ command: 'APPEND' }, { kind: 'drop-tagged' });
  expect(client.say(...appendBoth, 'a2 NOOP')).toEqual(['a2 OK Noop completed']);
  expect(alice.inbox.messages.length).toBe(3);
});

test('lines are injected before and after the tagged line', () => {
  const { client, server } = openFaulty(
    { command: 'NOOP' },
    { kind: 'inject', lines: ['* 5 EXISTS', '* 1 EXPUNGE'], at: 'after' },
  );
  server.faults.add({ command: 'NOOP' }, { kind: 'inject', lines: ['* 2 FETCH (FLAGS (\\Seen))'] });
  server.faults.add({ command: 'NOOP' }, { kind: 'inject', lines: ['* OK injected'], at: 'after-tagged' });
  expect(client.say('a1 NOOP', 'a2 NOOP')).toEqual([
    '* 2 FETCH (FLAGS (\\Seen))',
    '* 5 EXISTS',
    '* 1 EXPUNGE',
    'a1 OK Noop completed',
    '* OK injected',
    'a2 OK Noop completed',
  ]);
  expect(server.faults.log.length).toBe(3);
});

test('anything a test wants happens at the chosen moment', () => {
  const { alice, client } = openFaulty(
    { command: 'UID FETCH', nth: 2 },
    { kind: 'run', run: () => alice.inbox.changeUidValidity(42) },
  );
  client.say('a1 EXAMINE INBOX');
  expect(client.say('a2 UID FETCH 1 UID')).toEqual(['* 1 FETCH (UID 1)', 'a2 OK Fetch completed.']);
  expect(client.say('a3 UID FETCH 1 UID')).toEqual(['* BYE IMAP session state is inconsistent, please relogin.']);
  const again = new RawClient(client.session.server);
  expect(again.say('b1 LOGIN alice secret', 'b2 STATUS INBOX (UIDVALIDITY)')).toContain(
    '* STATUS INBOX (UIDVALIDITY 42)',
  );
});

test('UIDVALIDITY may change without a word', () => {
  const { alice, client } = openFaulty(
    { command: 'NOOP' },
    { kind: 'run', run: () => alice.inbox.changeUidValidity(42, { quietly: true }) },
  );
  expect(client.say('a1 EXAMINE INBOX', 'a2 NOOP', 'a3 STATUS INBOX (UIDVALIDITY)').slice(-3)).toEqual([
    'a2 OK Noop completed',
    '* STATUS INBOX (UIDVALIDITY 42)',
    'a3 OK Status completed',
  ]);
});

describe('a trigger', () => {
  test('counts from the moment it is armed, and may be taken back', () => {
    const { client, fault, server } = openFaulty(
      { command: '*', nth: 3 },
      { kind: 'answer', answer: { status: 'NO', text: 'third' } },
    );
    const never = server.faults.add({ command: '*' }, { kind: 'cut' });
    never.disarm();
    expect(client.say('a1 NOOP', 'a2 CHECK', 'a3 NOOP', 'a4 NOOP')).toEqual([
      'a1 OK Noop completed',
      'a2 BAD No mailbox selected',
      'a3 NO third',
      'a4 OK Noop completed',
    ]);
    expect([fault.fired, never.fired]).toEqual([1, 0]);
  });

  test('may look at the line and at the connection', () => {
    const { client, server } = openFaulty(
      { command: 'STATUS', matches: (line) => line.includes('INBOX') },
      { kind: 'answer', answer: { status: 'NO', text: 'matched' } },
    );
    server.faults.add({ command: 'NOOP', connection: 2 }, { kind: 'answer', answer: { status: 'NO', text: 'second' } });
    const second = new RawClient(server);
    expect(client.say('a1 STATUS other (MESSAGES)', 'a2 STATUS INBOX (MESSAGES)', 'a3 NOOP').slice(1)).toEqual([
      'a2 NO matched',
      'a3 OK Noop completed',
    ]);
    expect(second.say('b1 NOOP')).toEqual(['b1 NO second']);
  });

  test('at a byte takes only what concerns the connection', () => {
    expect(() => new SandboxFaults().add({ direction: 'out', bytes: 1 }, { kind: 'drop-tagged' })).toThrow(RangeError);
  });

  test('is forgotten, and what it holds released, by clear', () => {
    const { client, server } = openFaulty({ command: 'NOOP', times: Number.POSITIVE_INFINITY }, { kind: 'stall' });
    expect(client.say('a1 NOOP', 'a2 NOOP')).toEqual([]);
    server.faults.clear();
    expect(client.takeLines()).toEqual(['a1 OK Noop completed', 'a2 OK Noop completed']);
  });
});

describe('a message may be', () => {
  const fetchBoth = (quirk: 'nil' | 'absent' | 'phantom' | 'error') => {
    const { alice, client } = openRaw();
    alice.inbox.append({ body: 'abc', quirk });
    alice.inbox.append({ body: 'xyz' });
    client.say('a1 EXAMINE INBOX');
    return {
      listed: client.say('a2 UID SEARCH ALL')[0],
      fetched: client.say('a3 UID FETCH 1:* (RFC822.SIZE BODY.PEEK[])'),
    };
  };
  const good = ['* 2 FETCH (UID 2 RFC822.SIZE 3 BODY[] {3}', 'xyz)'];

  test('without a body', () => {
    expect(fetchBoth('nil').fetched).toEqual([
      '* 1 FETCH (UID 1 RFC822.SIZE 3 BODY[] NIL)',
      ...good,
      'a3 OK Fetch completed.',
    ]);
    expect(fetchBoth('absent').fetched).toEqual(['* 1 FETCH (UID 1 RFC822.SIZE 3)', ...good, 'a3 OK Fetch completed.']);
  });

  test('listed and not there', () => {
    expect(fetchBoth('phantom')).toEqual({ listed: '* SEARCH 1 2', fetched: [...good, 'a3 OK Fetch completed.'] });
  });

  test('unreadable', () => {
    expect(fetchBoth('error').fetched).toEqual([
      ...good,
      'a3 NO [UNAVAILABLE] UID FETCH Server error - Please try again later',
    ]);
  });

  test('of another size than RFC822.SIZE says', () => {
    const { alice, client } = openRaw();
    alice.inbox.append({ body: 'abc', reportedSize: 100 });
    client.say('a1 EXAMINE INBOX');
    expect(client.say('a2 FETCH 1 (RFC822.SIZE BODY.PEEK[])')).toEqual([
      '* 1 FETCH (RFC822.SIZE 100 BODY[] {3}',
      'abc)',
      'a2 OK Fetch completed.',
    ]);
  });
});
