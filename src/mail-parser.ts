/**
 * The one home of the MIME parser: it reads text out of messages for people to read and to search, and has no part in copying.
 * It is given pieces of bounded size only; how long it may take is for its callers to bound.
 */
import { isUtf8 } from 'node:buffer';
import type { AddressObject, EmailAddress, Headers, MailParser, ParsedMail } from 'mailparser';

/** ISO-2022-JP (RFC 1468): from here on two bytes are one character. */
const escapes = ['\u001b$@', '\u001b$B'];

/** Windows-1252 from 0x80 to 0x9F, where it is not Latin-1; TextDecoder of Node 20 takes the one for the other. */
const western = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ';

/** An address list is cut behind so many: nobody reads on. */
const maxAddresses = 100;

export interface MailText {
  /** `Name <address>`, separated by commas. */
  readonly from: string;
  /** To and Cc. */
  readonly to: string;
  readonly subject: string;
  readonly messageId: string;
}

/** Loads the parser: it is seldom needed, and not small. */
export async function loadMailParser(): Promise<MailReader> {
  const { MailParser, simpleParser } = await import('mailparser');
  return new MailReader(() => new MailParser(), simpleParser);
}

type SimpleParser = (source: Buffer, options: object) => Promise<ParsedMail>;

export class MailReader {
  readonly #newParser: () => MailParser;
  readonly #simpleParser: SimpleParser;

  constructor(newParser: () => MailParser, simpleParser: SimpleParser) {
    this.#newParser = newParser;
    this.#simpleParser = simpleParser;
  }

  /**
   * What a header's fields say, `''` where it does not. `fields`: as they stand in the message, a character for each byte.
   * @throws what the parser throws
   */
  async readHeader(fields: readonly string[]): Promise<MailText> {
    const headers = await this.#parse(fields);
    return {
      from: addressText(headers.get('from')),
      to: [addressText(headers.get('to')), addressText(headers.get('cc'))].filter((text) => text !== '').join(', '),
      subject: plainText(headers.get('subject')),
      messageId: plainText(headers.get('message-id')),
    };
  }

  /** The name of a file that is a part of a message, or its type where it has none. @throws what the parser throws */
  async readFileName(fields: readonly string[]): Promise<string> {
    const headers = await this.#parse(fields);
    const disposition = headers.get('content-disposition');
    const type = headers.get('content-type');
    const name = parameter(disposition, 'filename') || parameter(type, 'name');
    return name || (isStructured(type) ? plainText(type.value) : '') || 'application/octet-stream';
  }

  /** The text of a message that a reader sees, with that of its HTML parts. @throws what the parser throws */
  async readText(message: Buffer): Promise<string> {
    const options = { skipImageLinks: true, skipTextToHtml: true, skipTextLinks: true };
    const { text } = await this.#simpleParser(message, options);
    return text ?? '';
  }

  #parse(fields: readonly string[]): Promise<Headers> {
    const bytes = Buffer.concat(fields.flatMap((field) => [toUtf8(field), Buffer.from('\r\n')]));
    return new Promise((resolve, reject) => {
      const parser = this.#newParser();
      parser.on('headers', resolve);
      parser.on('error', reject);
      // Nothing flows unless somebody listens.
      parser.on('data', () => {});
      parser.on('end', () => reject(new Error('no header was found')));
      parser.end(Buffer.concat([bytes, Buffer.from('\r\n')]));
    });
  }
}

/**
 * Bytes that no header may have, as programs have put them there all the same: UTF-8 (RFC 6532), what begins with the escapes
 * of ISO-2022-JP, or else the letters of Western Europe.
 */
function toUtf8(field: string): Buffer {
  const bytes = Buffer.from(field, 'latin1');
  if (escapes.some((begin) => field.includes(begin))) return Buffer.from(new TextDecoder('iso-2022-jp').decode(bytes));
  if (isUtf8(bytes)) return bytes;
  return Buffer.from(
    field.replaceAll(/[\u0080-\u009f]/g, (control) => western[control.charCodeAt(0) - 0x80] ?? control),
  );
}

function addressText(value: unknown): string {
  const objects = (Array.isArray(value) ? value : [value]).filter(isAddressObject);
  const all = objects.flatMap((object) => object.value).flatMap((entry) => entry.group ?? [entry]);
  return all
    .slice(0, maxAddresses)
    .map(oneAddress)
    .filter((text) => text !== '')
    .join(', ');
}

function oneAddress({ name, address = '' }: EmailAddress): string {
  const words = name.replaceAll(/\s+/g, ' ').trim();
  if (words === '' || words === address) return address;
  return address === '' ? words : `${words} <${address}>`;
}

function isAddressObject(value: unknown): value is AddressObject {
  return typeof value === 'object' && value !== null && 'value' in value && Array.isArray(value.value);
}

interface Structured {
  readonly value: string;
  readonly params: Readonly<Record<string, string>>;
}

function isStructured(value: unknown): value is Structured {
  return typeof value === 'object' && value !== null && 'params' in value && 'value' in value;
}

function parameter(value: unknown, name: string): string {
  return isStructured(value) ? plainText(value.params[name]) : '';
}

function plainText(value: unknown): string {
  return typeof value === 'string' ? value.replaceAll(/\s+/g, ' ').trim() : '';
}
