import type { Command } from '../command.ts';
import type { Lexer } from '../lexer.ts';
import { type HitRoom, parseExtendedSearch } from './extended-search.ts';
import { NumberColumn } from './number-column.ts';
import { type SearchQuery, writeQuery } from './search-criteria.ts';

/** Found messages, ascending, each once. */
export interface SearchHits extends Uint32Array {
  /** The highest mod-sequence among them, where the server told it: it does when asked for MODSEQ (RFC 7162 3.1.5). */
  modSeq?: bigint;
}

export interface SearchRequest extends SearchQuery {
  /** The server has ESEARCH (RFC 4731): a big answer comes as ranges. */
  readonly extended: boolean;
  /** More are a LimitError. */
  readonly maxHits: number;
}

/** SEARCH and UID SEARCH; the numbers ascend, each once. */
export function searchCommand(request: SearchRequest): Command<SearchHits> {
  let modSeq: bigint | null = null;
  const hits = new NumberColumn(request.maxHits);
  const room: HitRoom = { hits: request.maxHits, partial: request.maxHits };
  const name = request.useUid ? 'UID SEARCH' : 'SEARCH';
  return {
    name,
    pipelining: request.useUid ? 'selected' : 'sequence',
    changesState: false,
    write(out) {
      out.raw(name);
      if (request.extended) out.raw(' RETURN (ALL)');
      writeQuery(out, request);
    },
    accept(response, tag) {
      if (response.kind !== 'data') return false;
      if (response.name === 'SEARCH') {
        modSeq = readNumbers(response.lexer, hits) ?? modSeq;
        return true;
      }
      if (response.name !== 'ESEARCH') return false;
      const found = parseExtendedSearch(response.lexer, tag, request.useUid, room);
      if (found === null) return false;
      if (found.all !== undefined) hits.addAll(found.all);
      modSeq = found.modSeq ?? modSeq;
      return true;
    },
    finish() {
      const found: SearchHits = hits.toAscending();
      if (modSeq !== null) found.modSeq = modSeq;
      return found;
    },
  };
}

/** Numbers up to the end of a SEARCH or SORT response; the mod-sequence that may stand last (RFC 7162 3.1.5). */
export function readNumbers(lexer: Lexer, hits: NumberColumn): bigint | null {
  let modSeq: bigint | null = null;
  for (lexer.skipSpaces(); !lexer.atEnd; lexer.skipSpaces()) {
    if (lexer.peek() !== 0x28) {
      hits.add(lexer.number());
      continue;
    }
    lexer.list(() => {
      const isModSeq = lexer.word() === 'MODSEQ';
      lexer.space();
      if (isModSeq) modSeq = lexer.number64();
      else lexer.value();
    });
  }
  return modSeq;
}
