/** Bodies that a format of files is tempted to change, by name. All deterministic. */

const head = (name: string) =>
  `Message-ID: <${name}@awkward.example.org>\r\nFrom: a@example.org\r\nSubject: ${name}\r\n`;
const text = (name: string, body: string) => Buffer.from(`${head(name)}\r\n${body}`, 'latin1');
const twin = text('twin', 'one of two\r\n');

export const awkwardBodies: readonly { readonly name: string; readonly body: Buffer }[] = [
  { name: 'ordinary', body: text('ordinary', 'hello\r\n') },
  { name: 'twin', body: twin },
  { name: 'its twin', body: Buffer.from(twin) },
  { name: 'no Message-ID', body: Buffer.from('Subject: no id\r\n\r\nx\r\n') },
  {
    name: '8-bit header',
    body: Buffer.from('Subject: K\xf6ln \xdcber\r\nX-Town: \xe6\x9d\xb1\r\n\r\ngr\xfc\xdfe\r\n', 'latin1'),
  },
  {
    name: 'From lines',
    body: text(
      'from',
      'From here\r\n>From a@b\r\n>>From c\r\n\r\nFrom a@b Mon Jan  1 00:00:00 2001\r\n> From d\r\n From e\r\n',
    ),
  },
  {
    name: 'From line at the beginning',
    body: Buffer.from('From a@b Mon Jan  1 00:00:00 2001\r\nSubject: x\r\n\r\nx\r\n'),
  },
  { name: '>From line at the beginning', body: Buffer.from('>From a@b\r\nSubject: x\r\n\r\nx\r\n') },
  { name: 'From line at the end', body: text('last', 'x\r\nFrom the end') },
  { name: 'From lines behind bare LF and CR', body: text('lf-from', 'x\nFrom y\n>From z\rFrom w\n\nFrom v\n') },
  { name: 'no final newline', body: text('unfinished', 'the last line does not end') },
  { name: 'CR at the end', body: text('cr', 'x\r') },
  { name: 'blank lines at the end', body: text('blanks', 'x\r\n\r\n\r\n') },
  { name: 'NUL', body: text('nul', 'a\0b\0\0\r\n\0') },
  { name: 'bare LF', body: Buffer.from('Subject: lf\nX: y\n\na\nb\n') },
  { name: 'mixed line ends', body: text('mixed', 'a\r\nb\nc\rd\r\r\ne') },
  { name: 'empty', body: Buffer.alloc(0) },
  { name: 'one line end', body: Buffer.from('\r\n') },
  { name: 'only a From line', body: Buffer.from('From ') },
  { name: 'lines that a format writes itself', body: text('own', 'Status: RO\r\nX-UID: 7\r\nContent-Length: 3\r\n') },
  {
    name: 'a header that a format writes itself',
    body: Buffer.from(
      'Content-Length: 3\r\nStatus: RO\r\nX-Status: A\r\nX-Keywords: a b\r\nX-UID: 7\r\n\r\nlonger\r\n',
    ),
  },
  { name: 'compressed bytes', body: Buffer.from('1f8b0800000000000003030000000000000000000d0a28b52ffd', 'hex') },
  { name: 'every byte', body: Buffer.from(Array.from({ length: 512 }, (_, index) => index & 255)) },
  { name: 'line of 200 KB', body: Buffer.concat([text('long', ''), Buffer.alloc(200 * 1024, 'l')]) },
  {
    name: '3 MB',
    body: Buffer.concat([text('big', ''), Buffer.alloc(3 * 1024 * 1024, 'From big\r\n0123456789 >From\r\n')]),
  },
];
