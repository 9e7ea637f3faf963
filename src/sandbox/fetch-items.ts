import { bad } from './answer.ts';
import type { Arguments } from './arguments.ts';
import { headerEnd, type MimePart, parseFields, parseMessage } from './mime.ts';
import type { SandboxSession } from './session.ts';
import { encodeString } from './wire.ts';

/** Items whose value is one word or list. */
const simpleItems = [
  'UID',
  'FLAGS',
  'INTERNALDATE',
  'RFC822.SIZE',
  'ENVELOPE',
  'BODY',
  'BODYSTRUCTURE',
  'MODSEQ',
] as const;

/** One thing a FETCH asks for (RFC 3501 6.4.5, RFC 7162). */
export type FetchItem =
  | { readonly kind: 'simple'; readonly name: (typeof simpleItems)[number] }
  | {
      readonly kind: 'section';
      /** As the answer spells it: `BODY[HEADER.FIELDS (DATE)]<0>`, `RFC822`. */
      readonly label: string;
      /** `''`, `HEADER`, `TEXT`, `MIME`, `HEADER.FIELDS`, `HEADER.FIELDS.NOT`. */
      readonly part: string;
      /** Part numbers before it: `[2, 1]` for `2.1`. */
      readonly path: readonly number[];
      /** Lower case. */
      readonly fields: readonly string[];
      readonly range: { readonly offset: number; readonly length: number } | null;
      readonly setsSeen: boolean;
    };

/** What follows the message set, macros included. @throws BAD */
export function parseFetchItems(session: SandboxSession, args: Arguments): FetchItem[] {
  if (args.next === '(') return args.list(() => parseItem(session, itemName(args), args));
  const name = itemName(args);
  const macro = macros[name];
  return macro === undefined ? [parseItem(session, name, args)] : macro.map((item) => ({ kind: 'simple', name: item }));
}

const macros: Readonly<Record<string, readonly (typeof simpleItems)[number][]>> = {
  ALL: ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE'],
  FAST: ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE'],
  FULL: ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE', 'BODY'],
};

function itemName(args: Arguments): string {
  return args.run(/[A-Za-z0-9.]+/y, 'a FETCH item').toUpperCase();
}

function parseItem(session: SandboxSession, name: string, args: Arguments): FetchItem {
  if ((name === 'BODY' || name === 'BODY.PEEK') && args.next === '[') return parseSection(session, name, args);
  const whole = { kind: 'section', label: name, path: [], fields: [], range: null } as const;
  if (name === 'RFC822') return { ...whole, part: '', setsSeen: true };
  if (name === 'RFC822.HEADER') return { ...whole, part: 'HEADER', setsSeen: false };
  if (name === 'RFC822.TEXT') return { ...whole, part: 'TEXT', setsSeen: true };
  if (name === 'MODSEQ') {
    if (!session.has('CONDSTORE')) throw bad('Unknown parameter MODSEQ');
    session.condstoreAware = true;
  }
  const known = simpleItems.find((item) => item === name);
  if (known === undefined) throw bad(`Unknown parameter ${name}`);
  return { kind: 'simple', name: known };
}

function parseSection(session: SandboxSession, name: string, args: Arguments): FetchItem {
  args.expect('[');
  const path: number[] = [];
  let part = '';
  while (args.next !== ']') {
    if (/[0-9]/.test(args.next)) path.push(args.number());
    else part = args.run(/[A-Za-z.]+/y, 'a section').toUpperCase();
    if (part !== '' || !args.accept('.')) break;
  }
  if (!['', 'HEADER', 'TEXT', 'MIME', 'HEADER.FIELDS', 'HEADER.FIELDS.NOT'].includes(part))
    throw bad(`Unknown section ${part}`);
  if (part === 'MIME' && path.length === 0) throw bad('MIME needs a part number');
  let spelled = [...path, ...(part === '' ? [] : [part])].join('.');
  let fields: string[] = [];
  if (part.startsWith('HEADER.FIELDS')) {
    args.space();
    fields = args.list(() => args.astring());
    if (fields.length === 0) throw bad('No header names');
    spelled += ` (${fields.map((field) => spellField(session, field)).join(' ')})`;
  }
  args.expect(']');
  let range: { offset: number; length: number } | null = null;
  if (args.accept('<')) {
    const offset = args.number();
    args.expect('.');
    const length = args.number();
    args.expect('>');
    if (length === 0) throw bad('Empty partial range');
    range = { offset, length };
  }
  const label = `BODY[${spelled}]${range === null ? '' : `<${range.offset}>`}`;
  const lower = fields.map((field) => field.toLowerCase());
  return { kind: 'section', label, part, path, fields: lower, range, setsSeen: name === 'BODY' };
}

function spellField(session: SandboxSession, field: string): string {
  const quoted = session.server.options.headerFieldNames === 'quoted' || !/^[A-Za-z0-9-]+$/.test(field);
  return quoted ? encodeString(field) : field;
}

/** The octets of a section, or `null` where the message has no such part. */
export function sectionOctets(body: Buffer, item: FetchItem & { kind: 'section' }): Buffer | null {
  const octets = wholeSection(body, item);
  return octets === null || item.range === null
    ? octets
    : octets.subarray(item.range.offset, item.range.offset + item.range.length);
}

function wholeSection(body: Buffer, item: FetchItem & { kind: 'section' }): Buffer | null {
  if (item.path.length === 0) {
    if (item.part === '') return body;
    return messageSection(body, 0, headerEnd(body, 0, body.length), body.length, item.part, item.fields);
  }
  const part = findPart(parseMessage(body), item.path);
  if (part === null) return null;
  if (item.part === '') return body.subarray(part.bodyStart, part.end);
  if (item.part === 'MIME') return body.subarray(part.start, part.bodyStart);
  // HEADER and TEXT of a part are those of the message it holds.
  const [message] = part.type === 'MESSAGE' ? part.children : [];
  return message === undefined
    ? null
    : messageSection(body, message.start, message.bodyStart, message.end, item.part, item.fields);
}

function findPart(message: MimePart, path: readonly number[]): MimePart | null {
  let part = message;
  for (const [depth, number] of path.entries()) {
    const [inner] = part.children;
    if (part.type === 'MESSAGE' && depth > 0 && inner !== undefined) part = inner;
    if (part.type === 'MULTIPART') {
      const child = part.children[number - 1];
      if (child === undefined) return null;
      part = child;
    } else if (number !== 1) {
      // What is no multipart has exactly one part, itself.
      return null;
    }
  }
  return part;
}

function messageSection(
  bytes: Buffer,
  start: number,
  bodyStart: number,
  end: number,
  part: string,
  fields: readonly string[],
): Buffer {
  if (part === 'TEXT') return bytes.subarray(bodyStart, end);
  if (part === 'HEADER') return bytes.subarray(start, bodyStart);
  const wanted = part === 'HEADER.FIELDS';
  const lines = parseFields(bytes.toString('latin1', start, bodyStart))
    .filter((field) => fields.includes(field.name.toLowerCase()) === wanted)
    .map((field) => field.raw);
  return Buffer.from(`${lines.join('')}\r\n`, 'latin1');
}
