import { describe, expect, test } from 'vitest';
import { openRaw } from './raw-client.ts';

const nested = [
  'From: "Quiroga, Tomás" <tomas@example.net>',
  'Sender: list@example.org',
  'To: Ada <ada@example.org>, plain@example.org',
  'Cc: "A \\"B\\" C" <abc@example.org>',
  'Date: Mon, 7 Feb 2022 21:52:25 -0800',
  'Subject: A subject',
  ' that is folded',
  'In-Reply-To: <0@example.org>',
  'Message-ID: <1@example.org>',
  'Content-Type: multipart/mixed; boundary="out er"',
  '',
  'preamble',
  '--out er',
  'Content-Type: multipart/alternative; boundary=inner',
  '',
  '--inner',
  '',
  'plain',
  '--inner',
  'Content-Type: text/html; charset=utf-8',
  'Content-Transfer-Encoding: base64',
  '',
  'PGI+',
  '--inner--',
  '--out er',
  'Content-Type: message/rfc822',
  'Content-Description: a message',
  '',
  'Subject: inside',
  '',
  'deep',
  '--out er',
  'Content-Type: application/octet-stream',
  'Content-ID: <cid@example.org>',
  'Content-Disposition: attachment; filename="a;b.bin"',
  '',
  'x',
  '--out er--',
  'epilogue',
  '',
].join('\r\n');

function openWith(body: string) {
  const { alice, client } = openRaw();
  alice.inbox.append({ body: Buffer.from(body, 'latin1') });
  client.say('s EXAMINE INBOX');
  return (item: string) => {
    client.take();
    client.send(`a FETCH 1 ${item}\r\n`);
    return client.take().replace('a OK Fetch completed.\r\n', '').slice('* 1 FETCH ('.length, -')\r\n'.length);
  };
}

test('ENVELOPE holds the addresses part by part', () => {
  expect(openWith(nested)('ENVELOPE')).toBe(
    'ENVELOPE ("Mon, 7 Feb 2022 21:52:25 -0800" "A subject that is folded"' +
      ' (({14}\r\nQuiroga, Tom\xe1s NIL "tomas" "example.net"))' +
      ' ((NIL NIL "list" "example.org"))' +
      ' (({14}\r\nQuiroga, Tom\xe1s NIL "tomas" "example.net"))' +
      ' (("Ada" NIL "ada" "example.org")(NIL NIL "plain" "example.org"))' +
      ' (("A \\"B\\" C" NIL "abc" "example.org")) NIL "<0@example.org>" "<1@example.org>")',
  );
});

test('BODYSTRUCTURE shows every part, BODY leaves the extensions out', () => {
  const alternative = (tail: string, part: string) =>
    `(("TEXT" "PLAIN" NIL NIL NIL "7BIT" 5 0${part})("TEXT" "HTML" ("CHARSET" "utf-8") NIL NIL "BASE64" 4 0${part}) "ALTERNATIVE"${tail})`;
  const empty = '(NIL "inside" NIL NIL NIL NIL NIL NIL NIL NIL)';
  const fetch = openWith(nested);
  expect(fetch('BODYSTRUCTURE')).toBe(
    `BODYSTRUCTURE (${alternative(' ("BOUNDARY" "inner") NIL NIL NIL', ' NIL NIL NIL NIL')}` +
      `("MESSAGE" "RFC822" NIL NIL "a message" "7BIT" 23 ${empty} ("TEXT" "PLAIN" NIL NIL NIL "7BIT" 4 0 NIL NIL NIL NIL) 2 NIL NIL NIL NIL)` +
      '("APPLICATION" "OCTET-STREAM" NIL "<cid@example.org>" NIL "7BIT" 1 NIL ("ATTACHMENT" ("FILENAME" "a;b.bin")) NIL NIL)' +
      ' "MIXED" ("BOUNDARY" "out er") NIL NIL NIL)',
  );
  expect(fetch('BODY')).toBe(
    `BODY (${alternative('', '')}` +
      `("MESSAGE" "RFC822" NIL NIL "a message" "7BIT" 23 ${empty} ("TEXT" "PLAIN" NIL NIL NIL "7BIT" 4 0) 2)` +
      '("APPLICATION" "OCTET-STREAM" NIL "<cid@example.org>" NIL "7BIT" 1) "MIXED")',
  );
});

test.each([
  ['BODY[1.1]', '{5}\r\nplain'],
  ['BODY[1.2]', '{4}\r\nPGI+'],
  ['BODY[1.2.MIME]', '{77}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n'],
  ['BODY[2.HEADER]', '{19}\r\nSubject: inside\r\n\r\n'],
  ['BODY[2.TEXT]', '{4}\r\ndeep'],
  ['BODY[2.1]', '{4}\r\ndeep'],
  ['BODY[2.HEADER.FIELDS (SUBJECT)]', '{19}\r\nSubject: inside\r\n\r\n'],
  ['BODY[3]', '{1}\r\nx'],
  ['BODY[4]', 'NIL'],
  ['BODY[3.2]', 'NIL'],
  ['BODY[3.TEXT]', 'NIL'],
])('%s', (item, expected) => {
  expect(openWith(nested)(item)).toBe(`${item} ${expected}`);
});

describe('mail that breaks the rules is served all the same', () => {
  test.each([
    ['no header at all', '\r\nbody\r\n', 'BODY[HEADER]', '{2}\r\n\r\n'],
    ['no blank line', 'Subject: x\r\nno field\r\n', 'BODY[TEXT]', '{0}\r\n'],
    [
      'no blank line, one field asked for',
      'Subject: x\r\nno field\r\n',
      'BODY[HEADER.FIELDS (SUBJECT)]',
      '{14}\r\nSubject: x\r\n\r\n',
    ],
    ['bare line feeds', 'Subject: x\n\nbody\n', 'BODY[TEXT]', '{5}\r\nbody\n'],
    [
      'a boundary that never comes',
      'Content-Type: multipart/mixed; boundary=b\r\n\r\nnothing\r\n',
      'BODYSTRUCTURE',
      '(("TEXT" "PLAIN" NIL NIL NIL "7BIT" 0 0) "MIXED" ("BOUNDARY" "b") NIL NIL NIL)',
    ],
    [
      'a boundary inside a line',
      'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx --b\r\n--bb\r\n--b--\r\n',
      'BODY[1]',
      '{11}\r\nx --b\r\n--bb',
    ],
    [
      'a boundary that never ends',
      'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n',
      'BODY[1]',
      '{3}\r\nx\r\n',
    ],
  ])('%s', (_name, body, item, expected) => {
    expect(openWith(body)(item)).toBe(`${item} ${expected}`);
  });

  test('nesting deeper than the limit is shown as one opaque part', () => {
    let body = 'text';
    for (let depth = 40; depth > 0; depth--)
      body = `Content-Type: multipart/mixed; boundary=b${depth}\r\n\r\n--b${depth}\r\n${body}\r\n--b${depth}--\r\n`;
    expect(openWith(body)('BODYSTRUCTURE')).toContain('"OCTET-STREAM"');
  });
});
