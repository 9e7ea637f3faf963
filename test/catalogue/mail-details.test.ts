import { describe, expect, it } from 'vitest';
import { type MailDetails, plainDetails, readDetails } from '../../src/catalogue/mail-details.ts';
import { outlineOf } from '../../src/catalogue/outline.ts';

const raw = (text: string) => Buffer.from(text, 'latin1');
const utf8AsBytes = (text: string) => Buffer.from(text).toString('latin1');

async function details(...lines: string[]): Promise<MailDetails> {
  return readDetails(outlineOf([raw([...lines, '', ''].join('\r\n'))]));
}

const word = (charset: string, bytes: string) => `=?${charset}?B?${Buffer.from(bytes, 'hex').toString('base64')}?=`;

describe('details of a message', () => {
  it.each([
    ['ISO-2022-JP', `Subject: ${word('iso-2022-jp', '1b2442467c4b5c1b2842')}`, '日本'],
    ['Shift_JIS', `Subject: ${word('shift_jis', '93fa967b')}`, '日本'],
    ['EUC-JP', `Subject: ${word('euc-jp', 'c6fccbdc')}`, '日本'],
    ['GB18030', `Subject: ${word('gb18030', 'c4e3bac3')}`, '你好'],
    ['GB2312', `Subject: ${word('gb2312', 'c4e3bac3')}`, '你好'],
    ['Big5', `Subject: ${word('big5', 'a741a66e')}`, '你好'],
    ['EUC-KR', `Subject: ${word('euc-kr', 'bec8b3e7')}`, '안녕'],
    ['KOI8-R', `Subject: ${word('koi8-r', 'f0d2c9d7c5d4')}`, 'Привет'],
    ['Windows-1251', `Subject: ${word('windows-1251', 'cff0e8e2e5f2')}`, 'Привет'],
    ['ISO-8859-8', `Subject: ${word('iso-8859-8-i', 'f9ece5ed')}`, 'שלום'],
    ['Q', 'Subject: =?iso-8859-1?Q?Gr=FC=DFe_aus_K=F6ln?=', 'Grüße aus Köln'],
    ['two words of one character', 'Subject: =?utf-8?B?5pel5pw=?=\r\n =?utf-8?B?rA==?=', '日本'],
    ['raw UTF-8', `Subject: ${utf8AsBytes('Zürich – 東京')}`, 'Zürich – 東京'],
    ['raw Latin-1', 'Subject: Gr\xfc\xdfe', 'Grüße'],
    ['raw Windows-1252', 'Subject: \x93quoted\x94 \x80 5', '“quoted” € 5'],
    ['raw ISO-2022-JP', 'Subject: \x1b$BF|K\\\x1b(B', '日本'],
    ['an unknown charset', 'Subject: =?x-klingon?Q?nuqneH?=', 'nuqneH'],
    ['folded lines', 'Subject: one\r\n two\r\n\tthree', 'one two three'],
    ['an empty field', 'Subject:', ''],
    ['controls', 'Subject: a\x00b \x07', 'a\x00b \x07'],
    ['markup', 'Subject: </script><img src=x onerror=alert(1)>', '</script><img src=x onerror=alert(1)>'],
  ])('have a subject in %s', async (_, field, subject) => {
    expect((await details(field)).subject).toBe(subject);
  });

  it('have names and addresses, Cc with To, without quotes', async () => {
    const found = await details(
      'From: "Doe, Jane" <jane@example.org>',
      `To: ${word('koi8-r', 'f0d2c9d7c5d4')} <p@example.org>, plain@example.org`,
      'Cc: Friends: a@example.org, "B" <b@example.org>;',
    );
    expect(found.from).toBe('Doe, Jane <jane@example.org>');
    expect(found.to).toBe('Привет <p@example.org>, plain@example.org, a@example.org, B <b@example.org>');
  });

  it.each([
    ['Date: Mon, 1 Jan 2024 10:00:00 +0100', Date.UTC(2024, 0, 1, 9)],
    ['Date: 1 Jan 24 10:00 EST', Date.UTC(2024, 0, 1, 15)],
    ['Date: Mon,\r\n 1 Jan 2024 10:00:00 +0000 (UTC)', Date.UTC(2024, 0, 1, 10)],
    ['Date: yesterday', Number.NaN],
    ['Subject: none', Number.NaN],
  ])('have the date of %j', async (field, dateMs) => {
    expect((await details(field)).dateMs).toBe(dateMs);
  });

  it('have the message ID', async () => {
    expect((await details('Message-ID: <a@b>')).messageId).toBe('<a@b>');
  });

  const file = (...lines: string[]) => [
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    ...lines,
    '',
    'x',
    '--b--',
  ];

  it.each([
    ['plain', ['Content-Disposition: attachment; filename="a b.pdf"'], 'a b.pdf'],
    ['of the type', ['Content-Type: application/pdf; name=a.pdf'], 'a.pdf'],
    ['RFC 2231', ["Content-Disposition: attachment; filename*=iso-8859-1''gr%FC%DFe.pdf"], 'grüße.pdf'],
    [
      'RFC 2231 in pieces',
      [
        "Content-Disposition: attachment; filename*0*=utf-8''%E6%97%A5;",
        ' filename*1="x";',
        ' filename*2*=%E6%9C%AC.pdf',
      ],
      '日x本.pdf',
    ],
    ['RFC 2047 in quotes', ['Content-Type: image/png; name="=?utf-8?B?5pel5pys?=.png"'], '日本.png'],
    ['raw UTF-8', [`Content-Disposition: attachment; filename="${utf8AsBytes('日本')}.png"`], '日本.png'],
    ['raw Latin-1', ['Content-Disposition: attachment; filename="\xfcber.txt"'], 'über.txt'],
    ['a path', ['Content-Disposition: attachment; filename="../../etc/passwd"'], '../../etc/passwd'],
    ['none', ['Content-Type: message/rfc822'], 'message/rfc822'],
    ['none at all', ['Content-Disposition: attachment'], 'application/octet-stream'],
  ])('have the name of a file: %s', async (_, lines, name) => {
    expect((await details(...file(...lines))).attachments).toEqual([name]);
  });

  it('are bounded', async () => {
    const found = await details(
      `From: ${'x'.repeat(9_000)}@example.org`,
      `To: ${Array.from({ length: 800 }, (_, index) => `a${index}@example.org`).join(', ')}`,
      `Subject: ${utf8AsBytes('𝒳').repeat(3_000)}`,
      ...file(`Content-Disposition: attachment; filename="${'y'.repeat(9_000)}"`),
    );
    const lengths = [found.from, found.to, found.subject, ...found.attachments].map((text) => text.length);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(2_000);
    expect(found.subject).not.toMatch(/\p{Cs}/u);
  });

  it('are empty for a message without a header', async () => {
    expect(await readDetails(outlineOf([raw('\r\nbody')]))).toEqual({
      from: '',
      to: '',
      subject: '',
      dateMs: Number.NaN,
      messageId: '',
      attachments: [],
      state: 'whole',
    });
  });

  it('can be had without the parser', () => {
    const lines = [
      'From: =?utf-8?Q?J=C3=BCrgen?= <j@example.org>',
      'To: a@example.org',
      'Cc: b@example.org',
      'Date: Mon, 1 Jan 2024 10:00:00 +0000',
      'Subject: one',
      ' two',
      ...file('Content-Type: application/pdf; name="x.pdf"'),
    ];
    expect(plainDetails(outlineOf([raw(lines.join('\r\n'))]))).toEqual({
      from: 'Jürgen <j@example.org>',
      to: 'a@example.org, b@example.org',
      subject: 'one two',
      dateMs: Date.UTC(2024, 0, 1, 10),
      messageId: '',
      attachments: ['x.pdf'],
      state: 'plain',
    });
  });
});
