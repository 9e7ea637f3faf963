import { findField, type HeaderField, type MimePart, parseParameters } from './mime.ts';
import { encodeNString, encodeString } from './wire.ts';

/** ENVELOPE, BODY and BODYSTRUCTURE as FETCH shows them (RFC 3501 7.4.2). */

export function encodeEnvelope(fields: readonly HeaderField[]): string {
  const text = (name: string) => encodeNString(findField(fields, name));
  const from = encodeAddresses(findField(fields, 'from'));
  const orFrom = (name: string) => {
    const addresses = encodeAddresses(findField(fields, name));
    return addresses === 'NIL' ? from : addresses;
  };
  const others = ['to', 'cc', 'bcc'].map((name) => encodeAddresses(findField(fields, name)));
  const people = [from, orFrom('sender'), orFrom('reply-to'), ...others];
  return `(${[text('date'), text('subject'), ...people, text('in-reply-to'), text('message-id')].join(' ')})`;
}

function encodeAddresses(value: string | null): string {
  if (value === null) return 'NIL';
  const encoded: string[] = [];
  for (const match of value.matchAll(/(?:"(?:[^"\\]|\\.)*"|<[^>]*>|[^,"<])+/g)) {
    const one = /^\s*(.*?)\s*<([^>]*)>\s*$/.exec(match[0]);
    const address = (one?.[2] ?? match[0]).trim();
    if (address === '') continue;
    const name = (one?.[1] ?? '').replace(/^"(.*)"$/, '$1').replace(/\\(.)/g, '$1');
    const at = address.lastIndexOf('@');
    const local = at === -1 ? address : address.slice(0, at);
    const host = at === -1 ? '' : address.slice(at + 1);
    encoded.push(`(${encodeNString(name === '' ? null : name)} NIL ${encodeString(local)} ${encodeString(host)})`);
  }
  return encoded.length === 0 ? 'NIL' : `(${encoded.join('')})`;
}

/** `extended`: BODYSTRUCTURE, else BODY. */
export function encodeStructure(bytes: Buffer, part: MimePart, extended: boolean): string {
  if (part.type === 'MULTIPART') {
    const children = part.children.map((child) => encodeStructure(bytes, child, extended)).join('');
    const tail = extended ? ` ${encodeParameters(part.parameters)} ${encodeDisposition(part.fields)} NIL NIL` : '';
    return `(${children === '' ? emptyPart : children} ${encodeString(part.subtype)}${tail})`;
  }
  const field = (name: string) => encodeNString(findField(part.fields, name));
  const words = [
    encodeString(part.type),
    encodeString(part.subtype),
    encodeParameters(part.parameters),
    field('content-id'),
    field('content-description'),
    encodeString((findField(part.fields, 'content-transfer-encoding') ?? '7BIT').toUpperCase()),
    `${part.end - part.bodyStart}`,
  ];
  const [inner] = part.children;
  if (part.type === 'MESSAGE' && inner !== undefined)
    words.push(encodeEnvelope(inner.fields), encodeStructure(bytes, inner, extended));
  if (part.type === 'TEXT' || (part.type === 'MESSAGE' && inner !== undefined))
    words.push(`${countLines(bytes, part)}`);
  if (extended) words.push('NIL', encodeDisposition(part.fields), 'NIL', 'NIL');
  return `(${words.join(' ')})`;
}

/** A multipart must show at least one part. */
const emptyPart = '("TEXT" "PLAIN" NIL NIL NIL "7BIT" 0 0)';

function encodeParameters(parameters: readonly (readonly [string, string])[]): string {
  if (parameters.length === 0) return 'NIL';
  return `(${parameters.map(([name, value]) => `${encodeString(name)} ${encodeString(value)}`).join(' ')})`;
}

function encodeDisposition(fields: readonly HeaderField[]): string {
  const value = findField(fields, 'content-disposition');
  if (value === null) return 'NIL';
  const kind = /^[^\s;]+/.exec(value)?.[0] ?? 'attachment';
  return `(${encodeString(kind.toUpperCase())} ${encodeParameters(parseParameters(value))})`;
}

function countLines(bytes: Buffer, part: MimePart): number {
  let lines = 0;
  for (let at = bytes.indexOf(0x0a, part.bodyStart); at !== -1 && at < part.end; at = bytes.indexOf(0x0a, at + 1))
    lines += 1;
  return lines;
}
