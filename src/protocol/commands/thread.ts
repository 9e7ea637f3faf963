import type { Command } from '../command.ts';
import { LimitError } from '../errors.ts';
import type { Lexer } from '../lexer.ts';
import { type SearchQuery, writeCriteria } from './search-criteria.ts';

const OPEN_PAREN = 0x28;

/**
 * A conversation as RFC 5256 4 writes it: each number is the answer to the one before it; a list stands for a branch, and
 * where it stands first, for answers to a message that is not there.
 */
export type Thread = readonly (number | Thread)[];

export interface ThreadRequest extends SearchQuery {
  /** `REFERENCES`, `ORDEREDSUBJECT`, … */
  readonly algorithm: string;
  readonly maxHits: number;
  readonly maxDepth: number;
}

/** THREAD and UID THREAD (RFC 5256). */
export function threadCommand(request: ThreadRequest): Command<Thread[]> {
  const name = request.useUid ? 'UID THREAD' : 'THREAD';
  const threads: Thread[] = [];
  return {
    name,
    pipelining: request.useUid ? 'selected' : 'sequence',
    changesState: false,
    write(out) {
      out
        .raw(`${name} `)
        .atom(request.algorithm)
        .sp()
        .atom(request.charset ?? 'UTF-8');
      writeCriteria(out, request.criteria);
    },
    accept(response) {
      if (response.kind !== 'data' || response.name !== 'THREAD') return false;
      for (const thread of parseThreads(response.lexer, request)) threads.push(thread);
      return true;
    },
    finish: () => threads,
  };
}

/**
 * `(2)(3 6 (4 23)(44 7 96))` to the end of the response, without recursion.
 * @throws LimitError for more numbers and lists than `maxHits`, or branches of branches beyond `maxDepth`.
 */
export function parseThreads(lexer: Lexer, limits: { readonly maxHits: number; readonly maxDepth: number }): Thread[] {
  const threads: Thread[] = [];
  const open: (number | Thread)[][] = [];
  let count = 0;
  for (lexer.skipSpaces(); open.length > 0 || !lexer.atEnd; lexer.skipSpaces()) {
    if (++count > limits.maxHits) throw new LimitError(`a thread answer has more than ${limits.maxHits} entries`);
    if (lexer.peek() === OPEN_PAREN) {
      lexer.open();
      if (open.length >= limits.maxDepth) throw new LimitError(`threads branch deeper than ${limits.maxDepth}`);
      open.push([]);
    } else if (lexer.close()) {
      const done = open.pop();
      if (done === undefined) return lexer.fail('a thread');
      (open.at(-1) ?? threads).push(done);
    } else if (open.length === 0) {
      lexer.fail('a thread');
    } else {
      open.at(-1)?.push(lexer.number());
    }
  }
  return threads;
}
