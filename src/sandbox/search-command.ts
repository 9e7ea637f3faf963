import { type Answer, bad, no, ok } from './answer.ts';
import type { Arguments } from './arguments.ts';
import type { CommandTable } from './command.ts';
import type { StoredMessage } from './mailbox.ts';
import { parseSearchKeys } from './search-keys.ts';
import type { SandboxSession } from './session.ts';
import { encodeSet, encodeString } from './wire.ts';

/** SEARCH and UID SEARCH (RFC 3501 6.4.4, RFC 4731, RFC 7162 3.1.5). */
export const searchCommands: CommandTable = {
  SEARCH: { state: 'selected', holdsExpunges: true, run: (session, args) => search(session, args, false) },
  'UID SEARCH': { state: 'selected', run: (session, args) => search(session, args, true) },
};

function search(session: SandboxSession, args: Arguments, byUid: boolean): Answer {
  const selection = session.requireSelection();
  const wanted = parseReturn(session, args);
  parseCharset(args);
  const { test, usesModSeq } = parseSearchKeys(session, selection, args);
  args.end();
  const found: StoredMessage[] = [];
  const numbers: number[] = [];
  for (const [index, message] of selection.view.entries()) {
    if (message.expunged || !test(message, index)) continue;
    found.push(message);
    numbers.push(byUid ? message.uid : index + 1);
  }
  if (usesModSeq) session.condstoreAware = true;
  const highest = usesModSeq ? found.reduce((top, message) => Math.max(top, message.modSeq), 0) : 0;
  if (wanted === null) {
    const modSeq = highest > 0 ? ` (MODSEQ ${highest})` : '';
    session.untagged(`SEARCH${numbers.map((number) => ` ${number}`).join('')}${modSeq}`);
  } else {
    const words = [`ESEARCH (TAG ${encodeString(session.tag)})${byUid ? ' UID' : ''}`];
    const [first] = numbers;
    const last = numbers.at(-1);
    if (wanted.includes('MIN') && first !== undefined) words.push(`MIN ${first}`);
    if (wanted.includes('MAX') && last !== undefined) words.push(`MAX ${last}`);
    if ((wanted.includes('ALL') || wanted.length === 0) && numbers.length > 0) words.push(`ALL ${encodeSet(numbers)}`);
    if (wanted.includes('COUNT')) words.push(`COUNT ${numbers.length}`);
    if (highest > 0) words.push(`MODSEQ ${highest}`);
    session.untagged(words.join(' '));
  }
  return ok('Search completed');
}

/** `RETURN (…)`: the wanted results, or `null` for a plain SEARCH. */
function parseReturn(session: SandboxSession, args: Arguments): string[] | null {
  if (!args.acceptWord(' RETURN ')) return null;
  if (!session.has('ESEARCH')) throw bad('Unknown argument RETURN');
  const wanted = args.list(() => args.keyword());
  const unknown = wanted.find((option) => !['MIN', 'MAX', 'COUNT', 'ALL'].includes(option));
  if (unknown !== undefined) throw bad(`Unknown SEARCH return option ${unknown}`);
  return wanted;
}

function parseCharset(args: Arguments): void {
  if (!args.acceptWord(' CHARSET ')) return;
  const charset = args.astring().toUpperCase();
  if (charset !== 'UTF-8' && charset !== 'US-ASCII') throw no('Unknown charset', 'BADCHARSET (US-ASCII UTF-8)');
}
