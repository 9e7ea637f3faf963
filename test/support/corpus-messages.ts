/** Messages of the test accounts: ordinary ones of any size, and the ones that break migrations. All deterministic. */

/** Repeatable random numbers (mulberry32): the same seed gives the same account everywhere. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** In [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number in [0, limit). */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  pick<Item>(items: readonly [Item, ...Item[]]): Item {
    return items[this.below(items.length)] ?? items[0];
  }

  /** Log-normal around `median`. */
  logNormal(median: number, sigma: number): number {
    const gauss = Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
    return median * Math.exp(sigma * gauss);
  }
}

const lineBytes = 78;
const poolLines = 4096;
const words = [
  'Vertrag',
  'invoice',
  'réunion',
  'hello',
  'Angebot',
  'photos',
  'Zoë',
  'report',
  'minutes',
  '東京',
] as const;
const zones = ['+0000', '-0800', '+0530', '+1100', '-0330', '+0200', '-0500'] as const;
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/** Whole lines of text to fill bodies from: slices of it never tear a CRLF apart. */
const pool = makePool();

function makePool(): Buffer {
  const random = new Random(4711);
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/ .,';
  const lines = Array.from({ length: poolLines }, () => {
    const text = Array.from({ length: lineBytes - 2 }, () => alphabet[random.below(alphabet.length)]).join('');
    return `${text}\r\n`;
  });
  return Buffer.from(lines.join(''), 'latin1');
}

/** Exactly `size` (at least 2) bytes of complete lines. */
function filler(random: Random, size: number): Buffer {
  const body = Buffer.alloc(size, 'x');
  // The last line is cut short by a CRLF of its own, which must not fall onto the CRLF before it.
  const whole = Math.floor((size - 2) / lineBytes) * lineBytes;
  for (let at = 0; at < whole; ) {
    const line = random.below(poolLines);
    at += pool.copy(body, at, line * lineBytes, line * lineBytes + whole - at);
  }
  body.write('\r\n', size - 2);
  return body;
}

/** An ordinary message of about `size` bytes; its subject and Message-ID hold `id`. */
export function ordinaryMessage(random: Random, id: string, size: number): Buffer {
  const head = Buffer.from(
    [
      `Return-Path: <sender${random.below(40)}@example.org>`,
      `Message-ID: <${id}@corpus.example.org>`,
      `Date: ${headerDate(random)}`,
      `From: =?UTF-8?Q?${random.pick(['J=C3=BCrgen', 'Zo=C3=AB', 'Ann'])}?= <sender${random.below(40)}@example.org>`,
      'To: "Doe, Jane" <jane@example.net>, list@example.com',
      `Subject: ${random.pick(['Re: ', '', 'Fwd: '])}${id} =?UTF-8?B?${Buffer.from(random.pick(words)).toString('base64')}?=`,
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=us-ascii',
      '',
      '',
    ].join('\r\n'),
  );
  return Buffer.concat([head, filler(random, Math.max(2, size - head.length))]);
}

/** `dd-Mmm-yyyy hh:mm:ss zone` between 1994 and 2025, as INTERNALDATE is written. */
export function internalDate(random: Random): string {
  const two = (number: number) => String(number).padStart(2, '0');
  // RFC 3501 date-day-fixed: one digit after a space.
  const day = String(1 + random.below(28)).padStart(2, ' ');
  const time = [24, 60, 60].map((limit) => two(random.below(limit))).join(':');
  return `${day}-${random.pick(months)}-${1994 + random.below(32)} ${time} ${random.pick(zones)}`;
}

function headerDate(random: Random): string {
  const day = 1 + random.below(28);
  return `${day} ${random.pick(months)} ${1994 + random.below(32)} 12:${10 + random.below(50)}:00 ${random.pick(zones)}`;
}

/** Each shape that has broken a migration somewhere, by name; as subject where there is one. Every body is legal to APPEND. */
export function oddMessages(random: Random): readonly { readonly name: string; readonly body: Buffer }[] {
  const text = (...lines: string[]) => Buffer.from(lines.join('\r\n'));
  const latin1 = (...lines: string[]) => Buffer.from(lines.join('\r\n'), 'latin1');
  const head = (name: string) => [`Message-ID: <${name}@odd.example.org>`, 'From: odd@example.org', `Subject: ${name}`];
  return [
    { name: 'no Message-ID', body: text('From: a@example.org', 'Subject: no id', '', 'no id', '') },
    { name: 'no Message-ID again', body: text('From: a@example.org', 'Subject: no id', '', 'no id', '') },
    { name: 'Latin-1 header', body: latin1(...head('latin'), 'X-Town: K\xf6ln \xdcber', '', 'gr\xfc\xdfe', '') },
    { name: 'UTF-8 header', body: text(...head('utf'), 'X-Town: 東京 – Zürich', '', '本文', '') },
    {
      name: 'line of 200 KB',
      body: Buffer.concat([text(...head('long'), '', ''), Buffer.alloc(200 * 1024, 'l'), text('', '')]),
    },
    { name: 'no final newline', body: text(...head('unfinished'), '', 'the last line does not end') },
    {
      name: 'From lines',
      body: text(...head('from'), '', 'From here on', 'From a@b Mon Jan  1', '>From x', '', 'From z', ''),
    },
    { name: 'empty body', body: text(...head('empty'), '', '') },
    { name: 'header only', body: text(...head('headeronly'), '') },
    { name: 'body only', body: text('', 'a body without any header', '') },
    { name: 'two bytes', body: text('', '') },
    {
      name: 'IMAP inside',
      body: text(...head('imap'), '', 'a1 OK done', '* 1 FETCH (UID 1)', 'x {10}', '+ go', ')', '* BYE no', ''),
    },
    { name: 'bare CR', body: latin1(...head('cr'), '', 'left\rright', '') },
    { name: 'CR before the line end', body: latin1(...head('crcrlf'), '', 'end\r', '') },
    {
      name: 'every byte but NUL and line ends',
      body: Buffer.concat([
        text(...head('bytes'), 'Content-Transfer-Encoding: 8bit', '', ''),
        Buffer.from(Array.from({ length: 255 }, (_, byte) => byte + 1).filter((byte) => byte !== 10 && byte !== 13)),
        text('', ''),
      ]),
    },
    {
      name: 'folded and repeated headers',
      body: text(
        ...head('folded'),
        'References: <a@b>',
        '\t<c@d>',
        ' <e@f>',
        'Message-ID: <second@odd.example.org>',
        `X-Long: ${'w '.repeat(600)}`,
        '',
        'x',
        '',
      ),
    },
    {
      name: 'multipart',
      body: text(
        ...head('multipart'),
        'Content-Type: multipart/mixed; boundary="=_b"',
        '',
        '--=_b',
        'Content-Type: text/html',
        '',
        '<p>hi</p>',
        '--=_b',
        'Content-Type: application/octet-stream',
        'Content-Transfer-Encoding: base64',
        '',
        filler(random, 3000).toString('base64'),
        '--=_b--',
        '',
      ),
    },
  ];
}
