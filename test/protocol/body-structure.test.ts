import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BodyPart, parseBodyStructure, type SinglePart } from '../../src/protocol/body-structure.ts';
import { ImapError } from '../../src/protocol/errors.ts';
import { cutAt, readAtEveryChunking } from '../support/chunking.ts';
import { readValueOf, valueLine } from '../support/values.ts';

const read = (value: string) =>
  readAtEveryChunking(valueLine(value), (chunks) => readValueOf(chunks, parseBodyStructure));

function single(section: string, type: string, subtype: string, fields: Partial<SinglePart> = {}): SinglePart {
  return {
    isMultipart: false,
    section,
    type,
    subtype,
    parameters: new Map(),
    id: null,
    description: null,
    encoding: '7bit',
    size: 1,
    lines: null,
    md5: null,
    disposition: null,
    languages: null,
    location: null,
    message: null,
    extensions: [],
    ...fields,
  };
}

/** Sections of all parts, outside first. */
function sections(part: BodyPart): string[] {
  if (part.isMultipart) return [part.section, ...part.parts.flatMap(sections)];
  return [part.section, ...(part.message === null ? [] : sections(part.message.body))];
}

describe('parseBodyStructure', () => {
  it('reads the examples of RFC 3501 7.4.2', () => {
    expect(read('("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 2279 48)')).toEqual(
      single('1', 'text', 'plain', { parameters: new Map([['charset', 'US-ASCII']]), size: 2279, lines: 48 }),
    );
    const mixed = read(
      '(("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 1152 23)' +
        '("TEXT" "PLAIN" ("CHARSET" "US-ASCII" "NAME" "cc.diff") "<960723163407.20117h@cac.washington.edu>" ' +
        '"Compiler diff" "BASE64" 4554 73) "MIXED")',
    );
    expect(mixed).toMatchObject({ isMultipart: true, section: 'TEXT', type: 'multipart', subtype: 'mixed' });
    expect(mixed.isMultipart && mixed.parts[1]).toMatchObject({
      section: '2',
      parameters: new Map([
        ['charset', 'US-ASCII'],
        ['name', 'cc.diff'],
      ]),
      id: '<960723163407.20117h@cac.washington.edu>',
      description: 'Compiler diff',
      encoding: 'base64',
      size: 4554,
      lines: 73,
    });
  });

  it('numbers parts as BODY[…] does (RFC 9051 6.4.5.1)', () => {
    const text = '("TEXT" "PLAIN" NIL NIL NIL "7BIT" 1 1)';
    const envelope = '(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)';
    const message = (body: string) => `("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 9 ${envelope} ${body} 3)`;
    const whole = `(${text}${message(`(${text}${text} "MIXED")`)}(${text}${message(text)} "ALTERNATIVE") "MIXED")`;
    expect(sections(read(whole))).toEqual(['TEXT', '1', '2', '2.TEXT', '2.1', '2.2', '3', '3.1', '3.2', '3.2.1']);
    expect(sections(read(message(message(text))))).toEqual(['1', '1.1', '1.1.1']);
    expect(sections(read(text))).toEqual(['1']);
  });

  it('reads an attached message with its envelope and lines', () => {
    const part = read(
      '("message" "rfc822" NIL NIL NIL "7bit" 20 ("x" "hello" NIL NIL NIL NIL NIL NIL NIL "<m>") ' +
        '("text" "html" NIL NIL NIL "7bit" 5 1) 7 NIL ("attachment" NIL) NIL NIL)',
    );
    expect(part).toEqual(
      single('1', 'message', 'rfc822', {
        size: 20,
        lines: 7,
        disposition: { type: 'attachment', parameters: new Map() },
        message: {
          envelope: expect.objectContaining({ subject: 'hello', messageId: '<m>' }),
          body: single('1.1', 'text', 'html', { size: 5, lines: 1 }),
        },
      }),
    );
  });

  it('reads extension data of single parts and multiparts', () => {
    const extended = read(
      '("IMAGE" "PNG" ("NAME" "=?utf-8?q?caf=C3=A9?=") "<i>" "=?utf-8?q?=C3=A9?=" "BASE64" 9 "md5==" ' +
        '("ATTACHMENT" ("FILENAME" {3}\r\na"b "SIZE" "9")) ("en" "de") "loc" (1 (2)) "more")',
    );
    expect(extended).toEqual(
      single('1', 'image', 'png', {
        parameters: new Map([['name', 'café']]),
        id: '<i>',
        description: 'é',
        encoding: 'base64',
        size: 9,
        md5: 'md5==',
        disposition: {
          type: 'attachment',
          parameters: new Map([
            ['filename', 'a"b'],
            ['size', '9'],
          ]),
        },
        languages: ['en', 'de'],
        location: 'loc',
        extensions: [[1, [2]], Buffer.from('more')],
      }),
    );
    const multi = read(
      '(("TEXT" "PLAIN" NIL NIL NIL "7BIT" 1 1) "MIXED" ("BOUNDARY" "b") ("INLINE" NIL) "en" "loc" NIL)',
    );
    expect(multi).toMatchObject({
      subtype: 'mixed',
      parameters: new Map([['boundary', 'b']]),
      disposition: { type: 'inline', parameters: new Map() },
      languages: ['en'],
      location: 'loc',
      extensions: [null],
    });
  });

  it.each<[string, string, Partial<SinglePart>]>([
    ['an empty list', '()', { type: 'text', subtype: 'plain', encoding: null, size: null }],
    ['a size of NIL and no lines', '("TEXT" "PLAIN" NIL NIL NIL "7BIT" NIL)', { size: null }],
    ['a size of -1', '("TEXT" "PLAIN" NIL NIL NIL "7BIT" -1 -1)', { size: null, lines: null }],
    [
      'lines that are missing before extension data',
      '("TEXT" "PLAIN" NIL NIL NIL "7BIT" 4 "m" NIL NIL)',
      { size: 4, md5: 'm' },
    ],
    ['empty parameter lists', '("TEXT" "PLAIN" () NIL NIL "7BIT" 1 1)', { lines: 1 }],
    [
      'a parameter without value',
      '("TEXT" "PLAIN" ("charset") NIL NIL "7BIT" 1 1)',
      { lines: 1, parameters: new Map([['charset', '']]) },
    ],
    [
      'a disposition as a string',
      '("TEXT" "PLAIN" NIL NIL NIL "7BIT" 1 1 NIL "inline" NIL)',
      { lines: 1, disposition: { type: 'inline', parameters: new Map() } },
    ],
    [
      'a disposition without parameters',
      '("TEXT" "PLAIN" NIL NIL NIL "7BIT" 1 1 NIL ("inline") NIL)',
      { lines: 1, disposition: { type: 'inline', parameters: new Map() } },
    ],
    [
      'an attached message without envelope',
      '("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 1)',
      { type: 'message', subtype: 'rfc822' },
    ],
    [
      'an attached message without body',
      '("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 1 (NIL) 3)',
      { type: 'message', subtype: 'rfc822', lines: 3 },
    ],
  ])('takes %s', (_what, value, fields) => {
    expect(read(value)).toEqual(single('1', 'text', 'plain', fields));
  });

  it.each(['', 'NIL', '"x"', '(', '(("a" "b"', '(()', '("a" "b" NIL NIL NIL "7BIT" 1 1 NIL ("x"', '("a" "b" ('])(
    'refuses %j',
    (value) => {
      expect(() => readValueOf([valueLine(value)], parseBodyStructure)).toThrow(
        expect.objectContaining({ code: 'PROTOCOL' }),
      );
    },
  );

  it('refuses more levels and more parts than the limits', () => {
    const limit = expect.objectContaining({ code: 'LIMIT' });
    const nested = (depth: number) => `${'('.repeat(depth)}${' "MIXED")'.repeat(depth)}`;
    expect(() => readValueOf([valueLine(nested(100_000))], parseBodyStructure)).toThrow(limit);
    const messages = '("MESSAGE" "RFC822" NIL NIL NIL NIL 1 () '.repeat(100);
    expect(() => readValueOf([valueLine(messages)], parseBodyStructure)).toThrow(limit);
    const wide = `(${'()'.repeat(50)} "MIXED")`;
    expect(() => readValueOf([valueLine(wide)], parseBodyStructure, { maxBodyParts: 50 })).toThrow(limit);
    expect(sections(readValueOf([valueLine(wide)], parseBodyStructure, { maxBodyParts: 51 }))).toHaveLength(51);
  });

  it('property: what is written is read back at any chunking', () => {
    fc.assert(
      fc.property(structures, fc.array(fc.nat({ max: 4000 })), (structure, cuts) => {
        const bytes = valueLine(structure.text);
        const chunks = cutAt(
          bytes,
          cuts.map((cut) => Math.min(cut, bytes.length)),
        );
        expect(shape(readValueOf(chunks, parseBodyStructure))).toEqual(structure.shape);
      }),
    );
  });

  it('property: damaged bytes end in a result or an error of ours', () => {
    const damage = fc.array(fc.record({ at: fc.nat({ max: 4000 }), byte: fc.integer({ min: 0, max: 255 }) }), {
      maxLength: 4,
    });
    fc.assert(
      fc.property(structures, damage, ({ text }, hits) => {
        const bytes = valueLine(text);
        for (const { at, byte } of hits) bytes[at % bytes.length] = byte;
        try {
          readValueOf([bytes], parseBodyStructure);
        } catch (error) {
          if (!(error instanceof ImapError) && !/has no value/.test(String(error))) throw error;
        }
      }),
    );
  });
});

/** A structure as it stands on the wire, and what of it has to come back. */
interface Written {
  readonly text: string;
  readonly shape: unknown;
}

function shape(part: BodyPart): unknown {
  if (part.isMultipart) return [part.subtype, part.parts.map(shape), [...part.parameters]];
  return [part.subtype, part.size, part.message === null ? null : shape(part.message.body), part.description];
}

const names = fc.stringMatching(/^[a-z]{1,8}$/);
const texts = fc.string({ unit: fc.constantFrom(...'ab ()"\\{}'), maxLength: 8 });
const quote = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`;

const { structure: structures } = fc.letrec<{ structure: Written; leaf: Written; message: Written; multi: Written }>(
  (tie) => ({
    structure: fc.oneof({ maxDepth: 4 }, tie('leaf'), tie('message'), tie('multi')),
    leaf: fc
      .record({ subtype: names, size: fc.nat(), description: fc.option(texts) })
      .map(({ subtype, size, description }) => ({
        text: `("IMAGE" "${subtype}" NIL NIL ${description === null ? 'NIL' : quote(description)} "8BIT" ${size})`,
        shape: [subtype, size, null, description],
      })),
    message: fc.record({ body: tie('structure'), size: fc.nat() }).map(({ body, size }) => ({
      text: `("MESSAGE" "RFC822" NIL NIL NIL "7BIT" ${size} (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) ${body.text} 1)`,
      shape: ['rfc822', size, body.shape, null],
    })),
    multi: fc
      .record({ parts: fc.array(tie('structure'), { minLength: 1, maxLength: 3 }), subtype: names, value: texts })
      .map(({ parts, subtype, value }) => ({
        text: `(${parts.map(({ text }) => text).join('')} "${subtype}" ("K" ${quote(value)}))`,
        shape: [subtype, parts.map((part) => part.shape), [['k', value]]],
      })),
  }),
);
