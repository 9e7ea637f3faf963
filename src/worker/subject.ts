import { loadMailParser } from '../mail-parser.ts';
import type { Literal } from '../protocol/index.ts';
import { headerBlockOf } from './header-block.ts';

/** Longest header a subject is looked for in. */
const maxHeaderBytes = 64 * 1024;
const maxSubjectCharacters = 200;

/**
 * The subject of a message that was refused, so that a person can find it; `null`: none, or none that can be read. The
 * only use of a MIME parser beside the copy path: it is loaded at the first refusal, and only ever sees a header.
 */
export async function subjectOf(body: Literal): Promise<string | null> {
  try {
    const header = headerBlockOf(body, maxHeaderBytes).toString('latin1').trimEnd();
    const { subject } = await (await loadMailParser()).readHeader([header]);
    return subject === '' ? null : subject.slice(0, maxSubjectCharacters);
  } catch {
    // A header that cannot be parsed may be the very reason of the refusal: the UID has to do.
    return null;
  }
}
