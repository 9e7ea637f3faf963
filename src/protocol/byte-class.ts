/**
 * Where words end, as tables: 1 for the bytes that do not belong to one. Spaces and controls never do.
 */

/** Ends an atom. `[`, `]`, `\`, `*` and `%` do not: flags, LIST patterns and `BODY[]` have them. */
export const endsAtom = toTable('"(){', false);

/** Ends a flag, with the leniency that `Lexer.flagList` describes; a backslash starts the next one. */
export const endsFlag = toTable('()\\', false);

/** Ends the name of a response, which may be glued to a bracket or parenthesis. */
export const endsName = toTable('"([{', true);

function toTable(specials: string, asciiOnly: boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => {
    const ends = byte <= 0x20 || byte === 0x7f || (asciiOnly && byte > 0x7f);
    return ends || specials.includes(String.fromCharCode(byte)) ? 1 : 0;
  });
}
