/** The little MIME a server needs: header fields, parts, and where each one's octets are (RFC 5322, RFC 2045, RFC 2046). */

export interface HeaderField {
  readonly name: string;
  /** The field as it stands, folded, with its line end. */
  readonly raw: string;
  /** Unfolded, without the blanks around it. Bytes as latin1. */
  readonly value: string;
}

export interface MimePart {
  readonly start: number;
  /** First octet after the header's blank line. */
  readonly bodyStart: number;
  readonly end: number;
  readonly fields: readonly HeaderField[];
  /** Upper case. */
  readonly type: string;
  readonly subtype: string;
  readonly parameters: readonly (readonly [string, string])[];
  /** Parts of a multipart; the message inside a message/rfc822. */
  readonly children: readonly MimePart[];
}

/** Deeper nesting is shown as one opaque part. */
const deepest = 20;

/** Where the header ends: the offset after its blank line, or the end of a message that has none. */
export function headerEnd(bytes: Buffer, start: number, end: number): number {
  for (let at = start; at < end; ) {
    const lf = bytes.indexOf(0x0a, at);
    if (lf === -1 || lf >= end) return end;
    if (lf === at || (lf === at + 1 && bytes[at] === 0x0d)) return lf + 1;
    at = lf + 1;
  }
  return end;
}

/** The fields of a header, in order. Lines that are no field are passed over. */
export function parseFields(header: string): HeaderField[] {
  const fields: HeaderField[] = [];
  for (const match of header.matchAll(/^([!-9;-~]+)[ \t]*:([^\n]*\n?(?:[ \t][^\n]*\n?)*)/gm)) {
    const value = (match[2] ?? '').replace(/\r?\n(?=[ \t])/g, '').trim();
    fields.push({ name: match[1] ?? '', raw: match[0], value });
  }
  return fields;
}

export function findField(fields: readonly HeaderField[], name: string): string | null {
  return fields.find((field) => field.name.toLowerCase() === name)?.value ?? null;
}

/** A message's structure. */
export function parseMessage(bytes: Buffer): MimePart {
  return parsePart(bytes, 0, bytes.length, 'TEXT/PLAIN', 0);
}

function parsePart(bytes: Buffer, start: number, end: number, defaultType: string, depth: number): MimePart {
  const bodyStart = headerEnd(bytes, start, end);
  const fields = parseFields(bytes.toString('latin1', start, bodyStart));
  const stated = findField(fields, 'content-type') ?? '';
  const [, type, subtype] =
    /^([^\s/;]+)\/([^\s;]+)/.exec(/^[^\s/;]+\/[^\s;]+/.test(stated) ? stated : defaultType) ?? [];
  const parameters = parseParameters(stated);
  const boundary = parameters.find(([name]) => name === 'BOUNDARY')?.[1];
  const part = {
    start,
    bodyStart,
    end,
    fields,
    type: (type ?? '').toUpperCase(),
    subtype: (subtype ?? '').toUpperCase(),
    parameters,
  };
  if (depth >= deepest) return { ...part, type: 'APPLICATION', subtype: 'OCTET-STREAM', children: [] };
  if (part.type === 'MULTIPART' && boundary !== undefined) {
    const childType = part.subtype === 'DIGEST' ? 'MESSAGE/RFC822' : 'TEXT/PLAIN';
    const spans = splitMultipart(bytes, bodyStart, end, boundary);
    return { ...part, children: spans.map(([from, to]) => parsePart(bytes, from, to, childType, depth + 1)) };
  }
  if (part.type === 'MULTIPART') return { ...part, type: 'TEXT', subtype: 'PLAIN', children: [] };
  const children =
    part.type === 'MESSAGE' && part.subtype === 'RFC822'
      ? [parsePart(bytes, bodyStart, end, 'TEXT/PLAIN', depth + 1)]
      : [];
  return { ...part, children };
}

/** `name=value` pairs after a `;`, names in upper case. */
export function parseParameters(value: string): [string, string][] {
  return [...value.matchAll(/;\s*([^=\s;]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s;]+)/g)].map((match) => {
    const text = match[2] ?? '';
    return [(match[1] ?? '').toUpperCase(), text.startsWith('"') ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text];
  });
}

/** Where the parts between the delimiter lines lie. The line end before a delimiter belongs to the delimiter. */
function splitMultipart(bytes: Buffer, start: number, end: number, boundary: string): [number, number][] {
  const delimiter = Buffer.from(`--${boundary}`, 'latin1');
  const spans: [number, number][] = [];
  let partStart = -1;
  for (
    let at = bytes.indexOf(delimiter, start);
    at !== -1 && at < end;
    at = bytes.indexOf(delimiter, at + delimiter.length)
  ) {
    if (at !== start && bytes[at - 1] !== 0x0a) continue;
    const after = bytes.toString('latin1', at + delimiter.length, Math.min(end, at + delimiter.length + 2));
    if (!/^(--|\s|$)/.test(after)) continue;
    if (partStart !== -1) spans.push([partStart, Math.max(partStart, bytes[at - 2] === 0x0d ? at - 2 : at - 1)]);
    const lf = bytes.indexOf(0x0a, at);
    partStart = after === '--' || lf === -1 || lf >= end ? -1 : lf + 1;
    if (after === '--') break;
  }
  if (partStart !== -1) spans.push([partStart, end]);
  return spans;
}
