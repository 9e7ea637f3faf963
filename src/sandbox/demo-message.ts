import { dateToInternalDate } from '../protocol/datetime.ts';
import { attachmentNames, type Language, owner, type Person, people, sentences, subjects, zones } from './demo-text.ts';
import type { Random } from './random.ts';

/** A written message, ready to be appended. */
export interface DemoMessage {
  readonly body: Buffer;
  readonly internalDate: string;
}

/** Lines of base64 text to take attachments from: making noise anew for each would take longer than all the rest. */
const noiseLines = 3000;
const noiseLineBytes = 78;

/** Writes the demo's messages, one after the other, from one source of chance. */
export class DemoWriter {
  readonly #random: Random;
  readonly #noise: Buffer;
  #count = 0;

  constructor(random: Random) {
    this.#random = random;
    const text = random.bytes(noiseLines * 57).toString('base64');
    this.#noise = Buffer.from(text.replace(/.{76}/g, '$&\r\n'), 'latin1');
  }

  /** One message that arrived at this instant. */
  write(sentMs: number, language: Language): DemoMessage {
    const random = this.#random;
    this.#count += 1;
    const zone = random.pick(zones);
    const zoneMinutes = (zone.startsWith('-') ? -1 : 1) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3)));
    const kind = random.below(100);
    const header = this.#header(dateToInternalDate(new Date(sentMs), zoneMinutes), language, kind);
    const internalDate = dateToInternalDate(new Date(sentMs + (2 + random.below(90)) * 1000), zoneMinutes);
    return { body: this.#body(header, language, kind), internalDate };
  }

  #header(date: string, language: Language, kind: number): string {
    const random = this.#random;
    const from = random.pick(people);
    const raw8Bit = kind >= 88 && kind < 93;
    const word = raw8Bit ? (text: string) => text : encodeWords;
    let subject = random.pick(subjects[language]);
    if (random.below(3) === 0) subject = `Re: ${subject}`;
    if (kind >= 93 && kind < 96) subject = `${subject} (${sentences[language].join(' ')})`.repeat(2);
    const id = `<${this.#count}.${random.below(1e9).toString(36)}@mail.example.org>`;
    const lines = [
      `Return-Path: <${from.address}>`,
      `Received: from mx.example.net (mx.example.net [192.0.2.${1 + random.below(200)}])`,
      `\tby mail.example.org with ESMTPS id ${random.below(1e9).toString(36)}; ${headerDate(date)}`,
      `Date: ${headerDate(date)}`,
      `From: ${mailbox(from, word)}`,
      `To: ${mailbox(owner, word)}`,
      `Subject: ${foldWords(word(subject))}`,
    ];
    if (kind < 96) lines.push(`Message-ID: ${id}`);
    return lines.join('\r\n');
  }

  #body(header: string, language: Language, kind: number): Buffer {
    const text = this.#text(language);
    const eightBit = 'MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit';
    if (kind < 14) return this.#withAttachment(header, text);
    if (kind < 38) return Buffer.from(this.#alternative(header, text));
    if (kind < 84) return Buffer.from(`${header}\r\n${eightBit}\r\n\r\n${text}`);
    // No final line end, one very long line, or neither MIME header nor ASCII: all of it is out there.
    if (kind < 86) return Buffer.from(`${header}\r\n\r\n${text}`.trimEnd());
    if (kind < 88) return Buffer.from(`${header}\r\n${eightBit}\r\n\r\n${text.replace(/\s+/g, ' ').repeat(40)}\r\n`);
    if (kind < 93) return Buffer.from(`${header}\r\n\r\n${text}`);
    return Buffer.from(`${header}\r\n${eightBit}\r\n\r\n${text}`);
  }

  #text(language: Language): string {
    const random = this.#random;
    const paragraphs: string[] = [];
    for (let left = 1 + random.below(6); left > 0; left--) {
      const lines: string[] = [];
      for (let line = 1 + random.below(7); line > 0; line--) lines.push(random.pick(sentences[language]));
      paragraphs.push(lines.join('\r\n'));
    }
    return `${paragraphs.join('\r\n\r\n')}\r\n\r\n-- \r\n${owner.name}\r\n`;
  }

  #alternative(header: string, text: string): string {
    const boundary = `alt-${this.#count}-${this.#random.below(1e9).toString(36)}`;
    const html = text
      .replace(/&/g, '&amp;')
      .replace(/</g, '&lt;')
      .replace(/\r\n\r\n/g, '</p>\r\n<p>');
    return [
      header,
      'MIME-Version: 1.0',
      `Content-Type: multipart/alternative; boundary="${boundary}"`,
      '',
      `--${boundary}`,
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: base64',
      '',
      Buffer.from(text).toString('base64').replace(/.{76}/g, '$&\r\n'),
      `--${boundary}`,
      'Content-Type: text/html; charset=utf-8',
      'Content-Transfer-Encoding: 8bit',
      '',
      `<html><body><p>${html}</p></body></html>`,
      `--${boundary}--`,
      '',
    ].join('\r\n');
  }

  #withAttachment(header: string, text: string): Buffer {
    const random = this.#random;
    const boundary = `mix-${this.#count}-${random.below(1e9).toString(36)}`;
    const name = random.pick(attachmentNames);
    const lines = 60 + random.below(random.below(8) === 0 ? 2900 : 900);
    const first = random.below(noiseLines - lines + 1);
    const intro = [
      header,
      'MIME-Version: 1.0',
      `Content-Type: multipart/mixed; boundary="${boundary}"`,
      '',
      `--${boundary}`,
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: 8bit',
      '',
      text,
      `--${boundary}`,
      'Content-Type: application/octet-stream',
      'Content-Transfer-Encoding: base64',
      `Content-Disposition: attachment; filename="${encodeWords(name)}"`,
      '',
      '',
    ].join('\r\n');
    const attached = this.#noise.subarray(first * noiseLineBytes, (first + lines) * noiseLineBytes);
    return Buffer.concat([Buffer.from(intro), attached, Buffer.from(`--${boundary}--\r\n`)]);
  }
}

/** `7 Feb 1994 22:43:04 +0100` from an internal date. */
function headerDate(internalDate: string): string {
  return internalDate.replace('-', ' ').replace('-', ' ');
}

function mailbox(person: Person, word: (text: string) => string): string {
  const quoted = /^[\w .'-]+$/.test(person.name) || /[^ -~]/.test(person.name) ? word(person.name) : `"${person.name}"`;
  return `${quoted} <${person.address}>`;
}

/** RFC 2047, pieces short enough for one word each; ASCII stays as it is. */
function encodeWords(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  const pieces = [...text].reduce<string[]>((all, character) => {
    const last = all.at(-1);
    if (last === undefined || Buffer.byteLength(last + character) > 42) all.push(character);
    else all[all.length - 1] = last + character;
    return all;
  }, []);
  return pieces.map((piece) => `=?utf-8?B?${Buffer.from(piece).toString('base64')}?=`).join(' ');
}

/** Folds a long value at its blanks. */
function foldWords(value: string): string {
  return value.length <= 60 ? value : value.replace(/(.{40,}?) /g, '$1\r\n ');
}
