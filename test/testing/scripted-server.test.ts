import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ImapClient } from '../../src/protocol/index.ts';
import {
  listenScripted,
  openScripted,
  parseTranscript,
  scriptedPair,
  TranscriptError,
} from '../../src/testing/index.ts';

/** Where and why a transcript ends badly, told to whoever awaits `done`. */
async function failure(promise: Promise<unknown>): Promise<TranscriptError> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof TranscriptError)) throw new Error(`no TranscriptError: ${String(error)}`);
  return error;
}

describe('a transcript', () => {
  test('is lines with their numbers; blank ones and indents mean nothing', () => {
    expect(parseTranscript('\n  S: * OK hi\n\nC: $A NOOP\n    X: close\nS:\n')).toEqual([
      { kind: 'S', text: '* OK hi', line: 2 },
      { kind: 'C', text: '$A NOOP', line: 4 },
      { kind: 'X', text: 'close', line: 5 },
      { kind: 'S', text: '', line: 6 },
    ]);
  });

  test('keeps blanks at the end of a line', () => {
    expect(parseTranscript('C: $A LIST "" ')).toEqual([{ kind: 'C', text: '$A LIST "" ', line: 1 }]);
  });

  test.each(['NOOP', 'D: $A NOOP', 'S $A OK'])('that cannot be read is refused with its line: %s', (line) => {
    expect(() => parseTranscript(`S: * OK hi\n${line}`)).toThrow(/^transcript line 2: .*S:, C: or X:/);
  });
});

describe('a scripted server', () => {
  test('names the line and both texts where the client says something else', async () => {
    const { client, server } = await openScripted(`
      C: $A CREATE "new"
      S: $A OK done
      C: $A NOOP
      S: $A OK done`);
    await client.createFolder('new');
    const asked = client.folderStatus('INBOX', ['MESSAGES']).catch((error: unknown) => error);
    const error = await failure(server.done);
    expect(error.line).toBe(4);
    expect(error.message).toMatch(
      /^transcript line 4: the client said\n {2}\S+ STATUS "INBOX" \(MESSAGES\)\ninstead of\n {2}\S+ NOOP$/,
    );
    // The test hears of it without awaiting `done`, and does not hang.
    expect(await asked).toMatchObject({ code: 'CLOSED', cause: error });
  });

  test('finds the client saying more than it should before an answer', async () => {
    const { client, server } = await openScripted('C: $A NOOP\nS: $A OK done');
    const both = Promise.allSettled([client.noop(), client.folderStatus('x', ['MESSAGES'])]);
    const error = await failure(server.done);
    expect(error.message).toMatch(/^transcript line 2: the client ran ahead of the transcript: \S+ STATUS/);
    expect(server.unexpected).toContain('STATUS');
    client.close();
    await both;
  });

  test('finds the client hanging up', async () => {
    const { client, server } = await openScripted('C: $A LOGOUT');
    client.close();
    expect(await failure(server.done)).toMatchObject({ message: expect.stringContaining('hung up'), line: 1 });
    expect(server.closed).toBe(true);
  });

  test('does not wait for ever', async () => {
    const { client, server } = await openScripted('C: $A NOOP', { waitMs: 20 });
    expect((await failure(server.done)).message).toMatch(/waited 20 ms in vain for the client to say: \$A NOOP/);
    client.close();
  });

  test('does not wait for ever for the client to hang up', async () => {
    const { client, server } = await openScripted('X: gone', { waitMs: 20 });
    expect((await failure(server.done)).message).toMatch(/waited 20 ms in vain for the client to hang up/);
    client.close();
  });

  test('refuses an action it does not know', async () => {
    const { server } = scriptedPair('X: dance');
    expect((await failure(server.done)).message).toBe('transcript line 1: an unknown action: dance');
  });
});

describe('a scripted listener', () => {
  const session = (name: string) => `
    S: * OK [CAPABILITY IMAP4rev1] ${name}
    C: $A LOGOUT
    S: * BYE
    S: $A OK done`;
  const visit = async (place: { host: string; port: number }) => {
    const client = await ImapClient.connect({ ...place, tls: 'none' });
    const { text } = client.greeting;
    await client.logout();
    return text;
  };

  test('plays each connection the next transcript', async () => {
    await using listener = await listenScripted([session('one'), session('two')]);
    expect([await visit(listener), await visit(listener)]).toEqual(['one', 'two']);
    await listener.done;
    expect(listener.received().toString()).toMatch(/^\S+ LOGOUT\r\n\S+ LOGOUT\r\n$/);
  });

  test('hangs up on a connection too many', async () => {
    await using listener = await listenScripted(session('one'));
    await visit(listener);
    await expect(visit(listener)).rejects.toThrow();
  });

  test('tells of a connection too many while others are still expected', async () => {
    await using listener = await listenScripted('S: * OK [CAPABILITY IMAP4rev1] hi\nC: $A NOOP');
    const client = await ImapClient.connect({ ...listener, tls: 'none' });
    await expect(visit(listener)).rejects.toThrow();
    expect((await failure(listener.done)).message).toMatch(/^after the transcript: connection 2 came/);
    client.close();
  });

  test('speaks TLS from the first byte with a certificate', async () => {
    const read = (name: string) => readFileSync(new URL(`../support/certs/${name}.pem`, import.meta.url), 'utf8');
    const tls = { cert: read('rsa-cert'), key: read('rsa-key'), implicit: true };
    await using listener = await listenScripted(session('inside'), { tls });
    const client = await ImapClient.connect({ ...listener, tlsOptions: { ca: tls.cert } });
    expect(client.greeting.text).toBe('inside');
    await client.logout();
    await listener.done;
  });

  test('needs a transcript that can be read', async () => {
    await expect(listenScripted([])).rejects.toThrow(TypeError);
    await expect(listenScripted(['S: * OK', 'what?'])).rejects.toThrow(TranscriptError);
  });
});
