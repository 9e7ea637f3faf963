import { loadMailParser, type MailReader } from '../mail-parser.ts';
import { decodeHeader, parseMessageDate } from '../protocol/index.ts';
import type { FieldName, MessageOutline, RawFields } from './outline.ts';

/**
 * What people look for in a message. Every text is one line of a bounded length.
 */
export interface MailDetails {
  /** `Name <address>`, separated by commas; `to` with Cc. */
  readonly from: string;
  readonly to: string;
  readonly subject: string;
  /** Epoch milliseconds of the Date field; NaN: there is none that can be read. */
  readonly dateMs: number;
  readonly messageId: string;
  /** Names of attached files; the type where a file has no name. */
  readonly attachments: readonly string[];
  /**
   * `whole` · `cut`: there may be more than was looked at · `plain`: the parser could not cope, these are the fields as they
   * stand there · `unreadable`: the message's file cannot be read.
   */
  readonly state: 'whole' | 'cut' | 'plain' | 'unreadable';
}

const maxCharacters = { from: 500, to: 2_000, subject: 1_000, messageId: 500, attachment: 255 } as const;

/** Those of a message that cannot be read. */
export const unreadableDetails: MailDetails = {
  from: '',
  to: '',
  subject: '',
  dateMs: Number.NaN,
  messageId: '',
  attachments: [],
  state: 'unreadable',
};

let reader: Promise<MailReader> | null = null;

/** Details by the parser. @throws what it throws */
export async function readDetails({ header, files, cut }: MessageOutline): Promise<MailDetails> {
  reader ??= loadMailParser();
  const parser = await reader;
  const text = await parser.readHeader(fieldsOf(header, ['from', 'to', 'cc', 'subject', 'message-id']));
  const attachments: string[] = [];
  for (const file of files)
    attachments.push(await parser.readFileName(fieldsOf(file, ['content-type', 'content-disposition'])));
  return bounded({ ...text, dateMs: dateOf(header), attachments, state: cut ? 'cut' : 'whole' });
}

/** Details without the parser: encoded words are read as far as they are simple, addresses and names are left as they are. */
export function plainDetails({ header, files }: MessageOutline): MailDetails {
  const value = (name: FieldName) => decodeHeader(rawValue(header, name)).replaceAll(/\s+/g, ' ');
  return bounded({
    from: value('from'),
    to: [value('to'), value('cc')].filter((text) => text !== '').join(', '),
    subject: value('subject'),
    messageId: value('message-id'),
    dateMs: dateOf(header),
    attachments: files.map((file) => plainFileName(file)),
    state: 'plain',
  });
}

/** The text of a message's body, HTML included. @throws what the parser throws */
export async function readText(message: Buffer): Promise<string> {
  reader ??= loadMailParser();
  return (await reader).readText(message);
}

function plainFileName(file: RawFields): string {
  const fields = `${rawValue(file, 'content-disposition')};${rawValue(file, 'content-type')}`;
  const [, quoted, plain] = /name\s*=\s*(?:"([^"]*)"|([^\s;]+))/i.exec(fields) ?? [];
  return decodeHeader(quoted ?? plain ?? '') || rawValue(file, 'content-type').split(';')[0] || 'attachment';
}

function fieldsOf(fields: RawFields, names: readonly FieldName[]): string[] {
  return names.flatMap((name) => fields[name] ?? []);
}

function rawValue(fields: RawFields, name: FieldName): string {
  const field = fields[name] ?? '';
  return field.slice(field.indexOf(':') + 1).trim();
}

function dateOf(header: RawFields): number {
  const text = rawValue(header, 'date').replaceAll(/\s+/g, ' ');
  return parseMessageDate(text)?.getTime() ?? Number.NaN;
}

function bounded(details: MailDetails): MailDetails {
  return {
    ...details,
    from: clip(details.from, maxCharacters.from),
    to: clip(details.to, maxCharacters.to),
    subject: clip(details.subject, maxCharacters.subject),
    messageId: clip(details.messageId, maxCharacters.messageId),
    attachments: details.attachments.map((name) => clip(name, maxCharacters.attachment)),
  };
}

/** Half a character at either end, or anywhere, is none. */
function clip(text: string, characters: number): string {
  return text.slice(0, characters).replaceAll(/\p{Cs}/gu, '\ufffd');
}
