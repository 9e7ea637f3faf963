import type { Command } from '../command.ts';
import { UsageError } from '../errors.ts';
import { NumberColumn } from './number-column.ts';
import { readNumbers } from './search.ts';
import { type SearchQuery, writeCriteria } from './search-criteria.ts';

export interface SortRequest extends SearchQuery {
  /** `ARRIVAL`, `DATE`, `SUBJECT`, …, each perhaps after `REVERSE` (RFC 5256 3, RFC 5957). */
  readonly keys: readonly string[];
  readonly maxHits: number;
}

/** SORT and UID SORT (RFC 5256): the numbers in the order asked for. */
export function sortCommand(request: SortRequest): Command<Uint32Array> {
  const name = request.useUid ? 'UID SORT' : 'SORT';
  const hits = new NumberColumn(request.maxHits);
  return {
    name,
    pipelining: request.useUid ? 'selected' : 'sequence',
    changesState: false,
    write(out) {
      if (request.keys.length === 0) throw new UsageError('SORT needs a key to sort by');
      out.raw(`${name} (`);
      request.keys.forEach((key, index) => {
        if (index > 0) out.sp();
        out.atom(key);
      });
      // RFC 5256 3: the charset is always named.
      out.raw(') ').atom(request.charset ?? 'UTF-8');
      writeCriteria(out, request.criteria);
    },
    accept(response) {
      if (response.kind !== 'data' || response.name !== 'SORT') return false;
      readNumbers(response.lexer, hits);
      return true;
    },
    finish: () => hits.toArray(),
  };
}
