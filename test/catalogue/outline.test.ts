import { describe, expect, it } from 'vitest';
import { outlineLimits, outlineOf } from '../../src/catalogue/outline.ts';

const message = (...lines: string[]) => Buffer.from(lines.join('\r\n'), 'latin1');

const mixed = message(
  'From: a@example.org',
  'Subject: first',
  ' folded',
  'Subject: second',
  'X-Other: x',
  'Content-Type: multipart/mixed;',
  ' boundary="a b"',
  '',
  'preamble',
  '--a b--not',
  '--a b',
  'Content-Type: multipart/related; boundary=inner',
  '',
  '--inner',
  'Content-Type: text/html',
  '',
  '<p>',
  '--inner',
  'Content-Type: image/png; name=logo.png',
  'Content-ID: <logo>',
  '',
  'x',
  '--inner--',
  '--a b  ',
  'Content-Type: application/pdf; name="x.pdf"',
  'Content-Disposition: attachment;',
  '\tfilename="x.pdf"',
  '',
  'JVBERi0',
  '-',
  '--',
  '--a b',
  'Content-Type: message/rfc822',
  '',
  'Content-Type: multipart/mixed; boundary=other',
  '',
  '--other',
  'Content-Disposition: attachment; filename=deep.txt',
  '',
  '--a b',
  'Content-Disposition: attachment; filename=notes.txt',
  '',
  'text',
  '--a b--',
  '--a b',
  'Content-Disposition: attachment; filename=behind-the-end.txt',
  '',
);

const outline = {
  header: {
    from: 'From: a@example.org',
    subject: 'Subject: first\r\n folded',
    'content-type': 'Content-Type: multipart/mixed;\r\n boundary="a b"',
  },
  files: [
    {
      'content-type': 'Content-Type: application/pdf; name="x.pdf"',
      'content-disposition': 'Content-Disposition: attachment;\r\n\tfilename="x.pdf"',
    },
    { 'content-type': 'Content-Type: message/rfc822' },
    { 'content-disposition': 'Content-Disposition: attachment; filename=notes.txt' },
  ],
  cut: false,
};

describe('the outline of a message', () => {
  it('has the fields people look for and the parts that are files', () => {
    expect(outlineOf([mixed])).toEqual(outline);
  });

  it('is the same byte by byte and at every split', () => {
    expect(outlineOf(Array.from(mixed, (byte) => Buffer.of(byte)))).toEqual(outline);
    for (let at = 1; at < mixed.length; at++)
      expect(outlineOf([mixed.subarray(0, at), mixed.subarray(at)]), `split at ${at}`).toEqual(outline);
  });

  it('is the same with line feeds alone', () => {
    const bare = Buffer.from(mixed.toString('latin1').replaceAll('\r\n', '\n'), 'latin1');
    expect(outlineOf([bare])).toEqual(outline);
  });

  it.each([
    ['no body', message('Subject: x', ''), { subject: 'Subject: x' }],
    ['no end of the header', message('Subject: x'), { subject: 'Subject: x' }],
    ['no header', message('', 'Subject: in the body'), {}],
    ['nothing', Buffer.alloc(0), {}],
    ['a field without a value', message('Subject:', 'From : a', '', ''), { subject: 'Subject:', from: 'From : a' }],
  ])('is there for a message with %s', (_, bytes, header) => {
    expect(outlineOf([bytes])).toEqual({ header, files: [], cut: false });
  });

  it('ends with the header where the message has one part', () => {
    const slices = [message('Subject: x', '', ''), { indexOf: () => expect.unreachable() } as unknown as Buffer];
    expect(outlineOf(slices).header).toEqual({ subject: 'Subject: x' });
  });

  it('takes a part whose header has no end for one', () => {
    const bytes = message(
      'Content-Type: multipart/mixed; boundary=b',
      '',
      '--b',
      'Content-Disposition: attachment; filename=a',
      '--b',
      'Content-Disposition: attachment; filename=c',
      '--b--',
    );
    expect(outlineOf([bytes]).files).toHaveLength(2);
  });

  it('keeps no more of a field than it may', () => {
    const long = message(`Subject: ${'x'.repeat(300_000)}`, 'From: a@example.org', '', '');
    const found = outlineOf([long]);
    expect(found.cut).toBe(true);
    expect(found.header.subject).toHaveLength(outlineLimits.fieldBytes);
    expect(
      outlineOf([message(`Subject: a`, ...Array.from({ length: 999 }, () => ` ${'x'.repeat(60)}`), '', '')]).cut,
    ).toBe(true);
  });

  it('ends a header that does not end', () => {
    const found = outlineOf([message(...Array.from({ length: 50_000 }, () => 'X-Spam: yes'), 'Subject: late', '', '')]);
    expect(found).toEqual({ header: {}, files: [], cut: true });
  });

  it('looks at so many parts and no more', () => {
    const part = ['--b', 'Content-Disposition: attachment; filename=x', '', 'x'];
    const head = ['Content-Type: multipart/mixed; boundary=b', ''];
    const many = message(...head, ...Array.from({ length: 10_000 }, () => part).flat(), '--b--');
    const found = outlineOf([many]);
    expect(found.cut).toBe(true);
    expect(found.files).toHaveLength(outlineLimits.files);
  });

  it('goes down so far and no further', () => {
    const nested = Array.from({ length: 500 }, (_, level) => [
      `Content-Type: multipart/mixed; boundary=b${level}`,
      '',
      `--b${level}`,
    ]);
    const found = outlineOf([message(...nested.flat(), 'Content-Disposition: attachment; filename=x', '', '')]);
    expect(found).toMatchObject({ files: [], cut: true });
  });
});
