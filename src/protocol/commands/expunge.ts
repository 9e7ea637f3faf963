import type { Command, Untagged } from '../command.ts';
import { countNumbers } from '../sequence-set.ts';
import type { MessageSetPart } from './message-set.ts';

/**
 * EXPUNGE (RFC 9051 6.4.3), or UID EXPUNGE (RFC 4315 2.1) with a set. The result is how many messages the server reported
 * gone meanwhile; each report is news, too, for whoever keeps count of the folder.
 */
export function expungeCommand(uids: MessageSetPart | null): Command<number> {
  const name = uids === null ? 'EXPUNGE' : 'UID EXPUNGE';
  let gone = 0;
  return {
    name,
    pipelining: 'selected',
    changesState: true,
    write(out) {
      out.raw(name);
      if (uids !== null) out.sp().sequenceSet(uids);
    },
    accept(response) {
      gone += countGone(response);
      return false;
    },
    finish: () => gone,
  };
}

function countGone(response: Untagged): number {
  if (response.kind !== 'data') return 0;
  if (response.name === 'EXPUNGE' && response.number !== null) return 1;
  if (response.name !== 'VANISHED') return 0;
  response.lexer.space();
  // RFC 7162 3.2.10: with EARLIER it is no expunge of now.
  if (response.lexer.peek() === 0x28) return 0;
  return countNumbers(response.lexer.atom());
}
