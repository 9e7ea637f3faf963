import type { Side } from '../job.ts';
import type { PushedBack } from './contract.ts';
import type { RefusedWords } from './endpoint.ts';
import { isWorthRepeating, judge, pushBackIn } from './push-back.ts';

/** The target as a whole refuses more: no message of this account can be stored now. */
export class TargetFullError extends Error {
  override readonly name = 'TargetFullError';
  readonly refusal: RefusedWords;
  constructor(refusal: RefusedWords) {
    super(refusal.text);
    this.refusal = refusal;
  }
}

/** The folder as a whole does not take messages, or does not keep them. */
export class FolderRefusesError extends Error {
  override readonly name = 'FolderRefusesError';
  readonly code: 'REFUSES' | 'COUNT';
  constructor(code: 'REFUSES' | 'COUNT', message: string) {
    super(message);
    this.code = code;
  }
}

/** The target wants another session before it takes anything. */
export class PushedBackError extends Error {
  override readonly name = 'PushedBackError';
  readonly pushedBack: PushedBack;
  constructor(pushedBack: PushedBack) {
    super(`APPEND refused: ${pushedBack.words}`);
    this.pushedBack = pushedBack;
  }
}

/** True: the same command may work in the same session, later. */
export function mayBeRepeated({ what }: PushedBack): boolean {
  return what.kind !== 'reconnect' && what.kind !== 'token';
}

/** What to do about a refused APPEND: send the same once more, leave it to another lane, or take it for refused. */
export type Course = 'again' | 'leave' | 'refused';

/** What follows from the refusals of one batch, or of one message. */
export class AppendRefusals {
  readonly #pushedBack: (side: Side, pushedBack: PushedBack, tries: number) => Promise<boolean>;
  #tries = 0;

  /** `pushedBack` as in `CopyPort`. */
  constructor(pushedBack: (side: Side, pushedBack: PushedBack, tries: number) => Promise<boolean>) {
    this.#pushedBack = pushedBack;
  }

  /**
   * Resolves when the course may be taken.
   * @throws TargetFullError, FolderRefusesError, PushedBackError: it is about more than these messages
   */
  async course(refusal: RefusedWords): Promise<Course> {
    const { code: status, responseCode, text } = refusal;
    const verdict = judge({ status, code: responseCode, text, during: 'append' });
    if (verdict.kind === 'full') throw new TargetFullError(refusal);
    if (verdict.kind === 'folder') throw refusesAll(text);
    const what = pushBackIn(verdict);
    if (what === null) return 'refused';
    const tries = this.#tries++;
    if (isWorthRepeating(what, tries)) {
      const pushedBack = { what, words: text };
      if (!mayBeRepeated(pushedBack)) throw new PushedBackError(pushedBack);
      return (await this.#pushedBack('target', pushedBack, tries)) ? 'again' : 'leave';
    }
    if (what.kind === 'wait' && what.about === 'folder') throw refusesAll(text);
    return 'refused';
  }
}

function refusesAll(text: string): FolderRefusesError {
  return new FolderRefusesError('REFUSES', `the target takes no message into this folder: ${text}`);
}
