import { describe, expect, it } from 'vitest';
import { Redactor } from '../../src/protocol/redaction.ts';
import { describeGroup, formatTraceLine, type TraceLine } from '../../src/protocol/trace.ts';
import { openScripted, selecting } from '../support/scripted-session.ts';

describe('a trace', () => {
  it('shows both directions, literals as their sizes', async () => {
    const lines: TraceLine[] = [];
    const { client, server } = await openScripted(
      `${selecting(1)}
      C: $A UID FETCH 1 (UID BODY.PEEK[])
      S: * 1 FETCH (UID 1 BODY[] {5}
      S: hello)
      S: $A OK done
      C: $B APPEND "t" {5}
      S: + go
      C: hello
      S: $B OK done`,
      { connect: { trace: (line) => lines.push(line) } },
    );
    await client.selectFolder('INBOX');
    await client.fetch([1], ['UID', 'BODY.PEEK[]']);
    await client.append('t', { body: Buffer.from('hello') });
    await server.done;
    const shown = lines.map(({ direction, text }) => `${direction} ${text.replace(/[A-Z]{5}\d+/, 'TAG')}`);
    expect(shown.slice(-7)).toEqual([
      'sent TAG UID FETCH 1 (UID BODY.PEEK[])',
      'received * 1 FETCH (UID 1 BODY[] {5})',
      'received TAG OK done',
      'sent TAG APPEND "t" {5}',
      'received + go',
      'sent ',
      'received TAG OK done',
    ]);
    client.close();
    expect(lines.at(-1)).toMatchObject({ direction: 'note', timeMs: 1000 });
  });

  it('cuts a line nobody could read', async () => {
    const lines: TraceLine[] = [];
    const { client } = await openScripted(`C: $A NOOP\nS: * XLONG ${'y'.repeat(10_000)}\nS: $A OK done`, {
      connect: { trace: (line) => lines.push(line) },
    });
    await client.noop();
    expect(Math.max(...lines.map(({ text }) => text.length))).toBe(4097);
  });
});

describe('describeGroup', () => {
  const groups = [
    [Buffer.from('A APPEND "t" {7+}\r\n'), Buffer.from('o{9}}\r\n'), Buffer.from(' (\\Seen) {4}\r\n')],
    [Buffer.from('ab'), Buffer.from('cd'), Buffer.from('\r\n')],
  ];
  it.each([
    [0, 'A APPEND "t" {7+} (\\Seen) {4}'],
    [1, ''],
  ])('tells text from literals in group %i', (index, text) => {
    expect(describeGroup(groups, index)).toBe(text);
  });
});

describe('Redactor', () => {
  const redact = (secrets: string[], text: string) => {
    const redactor = new Redactor();
    for (const secret of secrets) redactor.add(secret);
    return redactor.redact(text);
  };
  it.each<[string, string[], string, string]>([
    ['nothing where there is no secret', [], 'LOGIN u p', 'LOGIN u p'],
    ['no empty secret', [''], 'abc', 'abc'],
    ['a secret wherever it stands', ['pass'], 'pass, my-pass-word', '***, my-***-word'],
    ['its quoted form', ['a"b'], 'LOGIN "a\\"b"', 'LOGIN "***"'],
    ['its base64 form', ['a"b'], `got ${Buffer.from('a"b').toString('base64')}`, 'got ***'],
    ['what stands of it in longer base64', ['hunter22!'], `x ${btoa('\0al\0hunter22!')}`, 'x AGFsAG***Q=='],
    ['a quoted form in UTF-8 that was read as latin1', ['g"rün'], 'g\\"r\xc3\xbcn', '***'],
    ['UTF-8 that was read as latin1', ['grün'], 'gr\xc3\xbcn', '***'],
    ['the longer of two that overlap', ['pass', 'password'], 'password', '***'],
    ['what looks like a pattern', ['.*[x](?)$^|\\'], 'a .*[x](?)$^|\\ b', 'a *** b'],
    ['the beginning of a long secret', ['x'.repeat(40)], `cut ${'x'.repeat(20)}… here`, 'cut ***… here'],
    [
      'a whole one where another begins like it',
      ['Tr0ub4dor"\\\\&3-Zug-Wäldern'],
      'Tr0ub4dor"\\\\&3-Zug-Wäldern!',
      '***!',
    ],
    ['the beginning of a long one with blanks', ['correct horse battery staple'], 'correct horse batt…', '***…'],
    ['not the beginning of a short one', ['secret'], 'secre', 'secre'],
  ])('masks %s', (_what, secrets, text, redacted) => {
    expect(redact(secrets, text)).toBe(redacted);
  });
});

describe('formatTraceLine', () => {
  it.each([
    [{ direction: 'sent', timeMs: 61_500, text: 'A1 NOOP' }, '01:01.500 > A1 NOOP'],
    [{ direction: 'received', timeMs: 3_600_007, text: '* OK \x1b[2J\t{3}' }, '00:00.007 < * OK \\x1b[2J\\t{3}'],
    [{ direction: 'note', timeMs: 999.9, text: 'TLS is up' }, '00:01.000 - TLS is up'],
  ] as const)('writes %j', (line, text) => {
    expect(formatTraceLine(line)).toBe(text);
  });
});
