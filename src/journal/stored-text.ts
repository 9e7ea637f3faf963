/** Lone surrogates have no UTF-8, and a NUL would end the text early when it is read again. */
const unstorable = /[\0\p{Cs}]/gu;

/** `text` as the file gives it back: what cannot be stored becomes U+FFFD. Idempotent. */
export function toStoredText(text: string): string {
  return text.replace(unstorable, '\ufffd');
}
