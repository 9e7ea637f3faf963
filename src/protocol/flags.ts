/** 1 for the bytes of `atom` (RFC 9051 section 9 ATOM-CHAR). */
const atomBytes = new Uint8Array(128);
for (let byte = 0x21; byte < 0x7f; byte++) atomBytes[byte] = '(){%*"\\]'.includes(String.fromCharCode(byte)) ? 0 : 1;

/** True when `text` is an `atom`: what can stand on a command line without quotes. */
export function isAtom(text: string): boolean {
  return text.length > 0 && isAtomFrom(text, 0);
}

/** True when `text` is a `flag` that a command may carry: an atom, or a backslash and an atom. `\*` is none. */
export function isFlag(text: string): boolean {
  const start = text.startsWith('\\') ? 1 : 0;
  return text.length > start && isAtomFrom(text, start);
}

function isAtomFrom(text: string, start: number): boolean {
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= 128 || atomBytes[code] === 0) return false;
  }
  return true;
}
