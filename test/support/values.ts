import { Framer } from '../../src/protocol/framer.ts';
import type { Lexer } from '../../src/protocol/lexer.ts';
import type { Limits } from '../../src/protocol/limits.ts';
import { parseResponse } from '../../src/protocol/response.ts';
import { wire } from './chunking.ts';

/** What `read` makes of the value in `* X value`, the chunks cut as they are. It has to end where the value does. */
export function readValueOf<Result>(
  chunks: readonly Buffer[],
  read: (lexer: Lexer) => Result,
  limits: Partial<Limits> = {},
): Result {
  const results: Result[] = [];
  const framer = new Framer(
    (frame) => {
      const response = parseResponse(frame);
      if (response.kind !== 'data') throw new Error('the test has no value');
      response.lexer.space();
      results.push(read(response.lexer));
      response.lexer.finish();
    },
    { limits },
  );
  for (const chunk of chunks) framer.push(chunk);
  framer.end();
  return results[0] as Result;
}

/** The bytes of a response that holds `value`; a CRLF in it is a literal's. */
export function valueLine(value: string): Buffer {
  return wire(`* X ${value}`);
}
