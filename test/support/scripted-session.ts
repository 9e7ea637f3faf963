/** What our own transcripts share beyond `imap-migrate/testing`. */
export { openScripted, type SessionOptions } from '../../src/testing/index.ts';

/** A transcript in which the client selects a folder with messages up to `exists`. */
export function selecting(exists = 100): string {
  return `
    C: $S SELECT "INBOX"
    S: * FLAGS (\\Answered \\Seen)
    S: * ${exists} EXISTS
    S: * 0 RECENT
    S: * OK [UIDVALIDITY 17] valid
    S: * OK [UIDNEXT 1000] next
    S: $S OK [READ-WRITE] selected
  `;
}

/** What a promise rejects with; fails the test when it does not. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    if (error instanceof Error) return error;
    throw new Error(`rejected with something that is no error: ${String(error)}`);
  }
  throw new Error(`expected a rejection, but it resolved with ${String(value)}`);
}
