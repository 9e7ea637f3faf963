/** One line of a transcript. */
export interface TranscriptStep {
  /** `S`: the server says it. `C`: the client has to say it. `X`: something to do. */
  readonly kind: 'S' | 'C' | 'X';
  readonly text: string;
  /** Number of the line in the transcript, from 1. */
  readonly line: number;
}

/** The client strayed from the transcript, or the transcript cannot be read. Says where, and what was said instead. */
export class TranscriptError extends Error {
  override readonly name = 'TranscriptError';
  /** The transcript's line, from 1; null: after its end. */
  readonly line: number | null;

  constructor(line: number | null, message: string) {
    super(`${line === null ? 'after the transcript' : `transcript line ${line}`}: ${message}`);
    this.line = line;
  }
}

/** @throws TranscriptError for a line that begins with none of `S:`, `C:`, `X:`. Blank lines and indents mean nothing. */
export function parseTranscript(transcript: string): TranscriptStep[] {
  const steps: TranscriptStep[] = [];
  for (const [index, text] of transcript.split('\n').entries()) {
    const match = /^\s*([SCX]):(?: (.*))?$/.exec(text);
    if (match !== null) {
      steps.push({ kind: match[1] as TranscriptStep['kind'], text: match[2] ?? '', line: index + 1 });
    } else if (text.trim() !== '') {
      throw new TranscriptError(index + 1, `a line needs S:, C: or X: in front: ${text}`);
    }
  }
  return steps;
}
