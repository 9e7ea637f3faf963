import type { Command } from '../command.ts';
import { ProtocolError, UsageError } from '../errors.ts';
import type { Lexer } from '../lexer.ts';
import { expandSequenceSet } from '../sequence-set.ts';
import { type PartialRange, writePartial } from './message.ts';
import { type SearchQuery, writeQuery } from './search-criteria.ts';

/** What SEARCH RETURN can be asked for (RFC 9051 6.4.4, RFC 4731, RFC 5182, RFC 9394). */
export interface ReturnOptions {
  readonly min?: boolean | undefined;
  readonly max?: boolean | undefined;
  readonly count?: boolean | undefined;
  readonly all?: boolean | undefined;
  /** The server keeps the result for `$` in the commands that follow. */
  readonly save?: boolean | undefined;
  /** A stretch of the result. */
  readonly partial?: PartialRange | undefined;
}

/** What ESEARCH answered; what was not asked for, or what an empty result does not have, is `undefined`. */
export interface ExtendedSearchResult {
  min?: number;
  max?: number;
  count?: number;
  /** In the server's order. */
  all?: Uint32Array;
  /** The highest mod-sequence among the messages (RFC 7162 3.1.5). */
  modSeq?: bigint;
  /** Null: the stretch asked for lies beyond the result. */
  partial?: Uint32Array | null;
}

export interface ExtendedSearchRequest extends SearchQuery {
  readonly returns: ReturnOptions;
  readonly maxHits: number;
}

/**
 * How many numbers one command may still be told, whatever becomes of them: a range of millions is a dozen bytes on the
 * wire, and nothing but this keeps a server from saying it again and again.
 */
export interface HitRoom {
  hits: number;
  /** In one PARTIAL: no more than were asked for. */
  readonly partial: number;
}

/** SEARCH RETURN (…) (RFC 4731). */
export function extendedSearchCommand(request: ExtendedSearchRequest): Command<ExtendedSearchResult> {
  const { min, max, count, all, save, partial } = request.returns;
  const name = request.useUid ? 'UID SEARCH' : 'SEARCH';
  let result: ExtendedSearchResult | null = null;
  const room: HitRoom = { hits: request.maxHits, partial: partial === undefined ? request.maxHits : sizeOf(partial) };
  return {
    name,
    pipelining: request.useUid ? 'selected' : 'sequence',
    changesState: false,
    write(out) {
      const wanted = Object.entries({ MIN: min, MAX: max, COUNT: count, ALL: all, SAVE: save })
        .filter(([, chosen]) => chosen === true)
        .map(([word]) => word);
      if (partial !== undefined) wanted.push(`PARTIAL ${writePartial(partial)}`);
      if (wanted.length === 0) throw new UsageError('an extended search needs something to return');
      out.raw(`${name} RETURN (${wanted.join(' ')})`);
      writeQuery(out, request);
    },
    accept(response, tag) {
      if (response.kind !== 'data' || response.name !== 'ESEARCH') return false;
      const found = parseExtendedSearch(response.lexer, tag, request.useUid, room);
      if (found === null) return false;
      result = { ...result, ...found };
      return true;
    },
    finish() {
      // RFC 5182 2.1: SAVE alone is answered by the tagged OK.
      if (result === null && (min || max || count || all || partial !== undefined)) {
        throw new ProtocolError(`${name} RETURN was answered without ESEARCH`);
      }
      return result ?? {};
    },
  };
}

/** `* ESEARCH (TAG "A1") UID ALL 1:5,9` behind its name: null when it answers another command. */
export function parseExtendedSearch(
  lexer: Lexer,
  ownTag: string,
  useUid: boolean,
  room: HitRoom,
): ExtendedSearchResult | null {
  lexer.skipSpaces();
  if (lexer.peek() === 0x28 && readTag(lexer) !== ownTag) return null;
  const result: ExtendedSearchResult = {};
  let countsUids = false;
  for (lexer.skipSpaces(); !lexer.atEnd; lexer.skipSpaces()) {
    const name = lexer.word();
    if (name === 'UID') {
      countsUids = true;
      continue;
    }
    lexer.space();
    readResult(lexer, name, result, room);
  }
  return countsUids === useUid || Object.keys(result).length === 0 ? result : null;
}

function readTag(lexer: Lexer): string | null {
  let tag: string | null = null;
  lexer.list(() => {
    const name = lexer.word();
    lexer.space();
    const value = lexer.astring();
    if (name === 'TAG') tag = value;
  });
  return tag;
}

function readResult(lexer: Lexer, name: string, result: ExtendedSearchResult, room: HitRoom): void {
  switch (name) {
    case 'MIN':
      result.min = lexer.number();
      break;
    case 'MAX':
      result.max = lexer.number();
      break;
    case 'COUNT':
      result.count = lexer.number();
      break;
    case 'ALL':
      result.all = readHits(lexer, room, room.hits);
      break;
    case 'MODSEQ':
      result.modSeq = lexer.number64();
      break;
    case 'PARTIAL':
      lexer.open();
      lexer.atom();
      lexer.space();
      result.partial = lexer.nil() ? null : readHits(lexer, room, room.partial);
      if (!lexer.close()) lexer.fail('")"');
      break;
    default:
      lexer.value();
  }
}

function readHits(lexer: Lexer, room: HitRoom, max: number): Uint32Array {
  const hits = expandSequenceSet(lexer.atom(), Math.min(max, room.hits));
  room.hits -= hits.length;
  return hits;
}

function sizeOf([from, to]: PartialRange): number {
  return Math.abs(to - from) + 1;
}
