import { ProtocolError } from './errors.ts';
import { Lexer } from './lexer.ts';

/**
 * The flags of a text such as `(\Seen $Forwarded)` or `* 1 FETCH (FLAGS (\Seen) UID 7)`, as imaplib's `ParseFlags` reads
 * them. Empty where it holds no flag list.
 */
export function parseFlags(text: string | Buffer): readonly string[] {
  const line = typeof text === 'string' ? text : text.toString('latin1');
  const start = /^\s*\(/.test(line) ? line.indexOf('(') : line.search(/\bFLAGS\s*\(/i);
  if (start === -1) return [];
  try {
    return Lexer.over(line.slice(line.indexOf('(', start))).flagList();
  } catch (error) {
    if (error instanceof ProtocolError) return [];
    throw error;
  }
}
