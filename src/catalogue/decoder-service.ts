import type { DecoderAnswer, DecoderQuestion } from './decoder.ts';
import { fold } from './fold.ts';
import { type MailDetails, readDetails, readText } from './mail-details.ts';

/** Answers one question; what the parser throws is `failed`. */
export async function answerQuestion(question: DecoderQuestion): Promise<DecoderAnswer> {
  try {
    switch (question.kind) {
      case 'details': {
        const details: MailDetails[] = [];
        for (const outline of question.outlines) details.push(await readDetails(outline));
        return { kind: 'details', details };
      }
      case 'find': {
        const { buffer, byteOffset, byteLength } = question.message;
        const text = fold(await readText(Buffer.from(buffer, byteOffset, byteLength)));
        return { kind: 'found', found: question.words.every((word) => text.includes(word)) };
      }
      default:
        return question satisfies never;
    }
  } catch {
    // The parser's own words tell a person nothing: the message is read without it.
    return { kind: 'failed' };
  }
}
