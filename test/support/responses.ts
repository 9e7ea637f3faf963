import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import { ImapError } from '../../src/protocol/errors.ts';
import { type FetchData, parseFetch } from '../../src/protocol/fetch-data.ts';
import type { Frame } from '../../src/protocol/frame.ts';
import { Framer, type FramerOptions } from '../../src/protocol/framer.ts';
import { parseResponse } from '../../src/protocol/response.ts';
import type { Literal, ResponseCode } from '../../src/protocol/types.ts';

/** A frame in words: text runs and the literals between them, bytes as latin1. */
export interface PlainFrame {
  readonly runs: readonly string[];
  readonly literals: readonly string[];
}

/** What came out of a stream: values, then perhaps the `code` of the error that ended it. */
export interface Outcome<Value> {
  readonly values: readonly Value[];
  readonly error: string | null;
}

/** Frames of a stream. An error of the stream ends it and is named; one that is none of ours is thrown. */
export function readFrames(chunks: readonly Buffer[], options?: FramerOptions): Outcome<PlainFrame> {
  return read(chunks, toPlainFrame, options);
}

/** FETCH data with literals as latin1 strings. */
export interface PlainFetch extends Omit<FetchData, 'body' | 'sections'> {
  readonly body?: string | null | undefined;
  readonly sections?: Map<string, string | null> | undefined;
}

/** A response in words. The data of FETCH is parsed; of other data `rest` is what follows the name. */
export type PlainResponse =
  | { kind: 'continuation'; code: ResponseCode | null; text: string }
  | { kind: 'tagged'; tag: string; status: string; code: ResponseCode | null; text: string }
  | { kind: 'status'; status: string; code: ResponseCode | null; text: string }
  | { kind: 'data'; name: string; number: number | null; rest: string }
  | { kind: 'fetch'; data: PlainFetch };

/** Responses of a stream, after checking that the scan of FETCH responses makes no difference. */
export function readResponses(chunks: readonly Buffer[], options?: FramerOptions): Outcome<PlainResponse> {
  const expected = readUnscanned(chunks, options);
  const scanned = readScanned(chunks, options);
  if (!isDeepStrictEqual(scanned, expected)) expect(scanned, 'scanned').toStrictEqual(expected);
  return expected;
}

/** Responses of a stream that all come as frames. */
export function readUnscanned(chunks: readonly Buffer[], options?: FramerOptions): Outcome<PlainResponse> {
  return read(chunks, toPlainResponse, options);
}

/** Responses of a stream of which FETCH responses may come parsed. */
export function readScanned(chunks: readonly Buffer[], options?: FramerOptions): Outcome<PlainResponse> {
  return read(chunks, toPlainResponse, options, (data) => ({ kind: 'fetch', data: toPlainFetch(data) }));
}

export function toText(literal: Literal | null | undefined): string | null | undefined {
  return literal && Buffer.concat(literal.chunks).toString('latin1');
}

function read<Value>(
  chunks: readonly Buffer[],
  toPlain: (frame: Frame) => Value,
  options: FramerOptions = {},
  fromFetch: ((data: FetchData) => Value) | null = null,
): Outcome<Value> {
  const values: Value[] = [];
  const onFetch = fromFetch === null ? undefined : (data: FetchData) => values.push(fromFetch(data));
  const framer = new Framer((frame) => values.push(toPlain(frame)), { ...options, onFetch });
  try {
    for (const chunk of chunks) framer.push(chunk);
    framer.end();
    return { values, error: null };
  } catch (error) {
    if (!(error instanceof ImapError)) throw error;
    return { values, error: error.code };
  }
}

function toPlainFrame(frame: Frame): PlainFrame {
  const runs: string[] = [];
  const literals: string[] = [];
  for (let at = 0; at < frame.runCount; at++) {
    runs.push((frame.runBuffers[at] as Buffer).toString('latin1', frame.runStarts[at], frame.runEnds[at]));
  }
  for (let at = 0; at < frame.literalCount; at++) literals.push(toText(frame.literal(at)) as string);
  return { runs, literals };
}

function toPlainResponse(frame: Frame): PlainResponse {
  const response = parseResponse(frame);
  if (response.kind !== 'data') return response;
  const { name, number, lexer } = response;
  if (name !== 'FETCH' || number === null) return { kind: 'data', name, number, rest: lexer.text() };
  return { kind: 'fetch', data: toPlainFetch(parseFetch(number, lexer)) };
}

/** The items that are there, literals as latin1 strings. */
export function toPlainFetch(data: FetchData): PlainFetch {
  const { body, sections, ...rest } = data;
  const texts = sections && new Map([...sections].map(([key, literal]) => [key, toText(literal)]));
  const items = Object.entries({ ...rest, body: toText(body), sections: texts });
  return Object.fromEntries(items.filter(([, value]) => value !== undefined)) as unknown as PlainFetch;
}
