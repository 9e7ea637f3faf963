import { describe, expect, it } from 'vitest';
import {
  AuthenticationError,
  ByeError,
  CapabilityError,
  CommandError,
  ConnectError,
  ConnectionClosedError,
  ImapError,
  LimitError,
  ProtocolError,
  StateError,
  TimeoutError,
  TlsError,
  toPrintable,
  UsageError,
} from '../../src/protocol/errors.ts';

describe('errors', () => {
  it.each([
    [ProtocolError, 'PROTOCOL'],
    [LimitError, 'LIMIT'],
    [ConnectionClosedError, 'CLOSED'],
    [TimeoutError, 'TIMEOUT'],
    [ConnectError, 'CONNECT'],
    [TlsError, 'TLS'],
    [AuthenticationError, 'AUTH'],
    [CapabilityError, 'CAPABILITY'],
    [StateError, 'STATE'],
    [UsageError, 'USAGE'],
  ])('%o has a stable code, keeps its cause and says whether the outcome is known', (ErrorClass, code) => {
    const cause = new Error('why');
    const plain = new ErrorClass('what');
    expect(plain).toBeInstanceOf(ImapError);
    expect(plain).toMatchObject({ name: ErrorClass.name, code, message: 'what', outcomeUnknown: false });
    expect('cause' in plain).toBe(false);
    expect(new ErrorClass('what', { cause, outcomeUnknown: true })).toMatchObject({ cause, outcomeUnknown: true });
  });

  it('a refused command carries the answer', () => {
    const code = { name: 'OVERQUOTA', text: 'soft' };
    const error = new CommandError('APPEND', { status: 'NO', code, text: 'full\r\nA1 OK \x1b[0m' });
    expect(error).toMatchObject({
      name: 'CommandError',
      code: 'NO',
      command: 'APPEND',
      status: 'NO',
      responseCode: 'OVERQUOTA',
      responseCodeText: 'soft',
      text: 'full\r\nA1 OK \x1b[0m',
      message: 'APPEND: NO [OVERQUOTA] full\\r\\nA1 OK \\x1b[0m',
      outcomeUnknown: false,
    });
    expect(new CommandError('NOOP', { status: 'BAD', code: null, text: '' })).toMatchObject({
      code: 'BAD',
      message: 'NOOP: BAD',
      responseCode: null,
      responseCodeText: '',
    });
  });

  it('a BYE carries the words of the server', () => {
    expect(new ByeError({ code: { name: 'UNAVAILABLE', text: '' }, text: 'later' })).toMatchObject({
      code: 'BYE',
      responseCode: 'UNAVAILABLE',
      text: 'later',
      message: 'server ended the session: [UNAVAILABLE] later',
    });
    expect(new ByeError({ code: null, text: '' }).message).toBe('server ended the session:');
  });

  it('a refused login keeps the response code', () => {
    expect(new AuthenticationError('no', { responseCode: 'EXPIRED' }).responseCode).toBe('EXPIRED');
    expect(new AuthenticationError('no').responseCode).toBeNull();
  });
});

describe('toPrintable', () => {
  it.each([
    ['plain text, 100 %', 'plain text, 100 %'],
    ['Grüße 日本 😀', 'Grüße 日本 😀'],
    ['a\r\n\tb', 'a\\r\\n\\tb'],
    ['\x00\x1b\x7f\x9b', '\\x00\\x1b\\x7f\\x9b'],
    ['\u202eabc\u200b\u2028', '\\u{202e}abc\\u{200b}\\u{2028}'],
    ['\ud83d', '\\u{d83d}'],
  ])('shows %j', (text, shown) => {
    expect(toPrintable(text, 100)).toBe(shown);
  });

  it('cuts at the length asked for, never inside an escape or a character', () => {
    expect(toPrintable('abcdef', 6)).toBe('abcdef');
    expect(toPrintable('abcdef', 5)).toBe('abcde…');
    expect(toPrintable('abc\x00', 6)).toBe('abc…');
    expect(toPrintable('abc😀', 4)).toBe('abc…');
    expect(toPrintable('x'.repeat(1_000_000), 3)).toBe('xxx…');
  });
});
