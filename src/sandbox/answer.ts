/** The status line that ends a command. */
export interface Answer {
  readonly status: 'OK' | 'NO' | 'BAD';
  /** What stands in the brackets: `APPENDUID 5 9`. */
  readonly code?: string;
  readonly text: string;
}

export function ok(text: string, code?: string): Answer {
  return code === undefined ? { status: 'OK', text } : { status: 'OK', code, text };
}

export function encodeAnswer(answer: Answer): string {
  const code = answer.code === undefined ? '' : `[${answer.code}] `;
  return `${answer.status} ${code}${answer.text}`;
}

/** Thrown by a command to end itself with NO or BAD. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(encodeAnswer(answer));
    this.answer = answer;
  }
}

/** The command was understood and is refused. */
export function no(text: string, code?: string): Refusal {
  return new Refusal(code === undefined ? { status: 'NO', text } : { status: 'NO', code, text });
}

/** The command breaks the grammar, or is unknown, switched off or out of place. */
export function bad(text: string): Refusal {
  return new Refusal({ status: 'BAD', text });
}
