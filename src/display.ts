/**
 * The one door between text from outside (servers, mail, files) and a terminal.
 */

/*
 * Control characters (C0, DEL, C1), lone surrogates, line and paragraph separators, everything that only steers direction
 * or takes no room (bidi controls, zero-width characters, fillers, tags), and the interlinear marks. U+FE0F is kept where
 * it asks for the coloured form of a pictograph: there it is visible.
 */
const unsafe =
  /(?!(?<=\p{Extended_Pictographic})\uFE0F)[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\u{FFF9}-\u{FFFB}]/gu;

const shortEscapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * `text` with every character that a terminal would act on, or that an eye would miss, replaced by a visible escape:
 * `\n`, `\x1b`, `\u{202e}`. The result is one line of printable text. Idempotent; ordinary text, accents and wide
 * characters come back unchanged. Meant for reading, not for reversing: a backslash is left alone.
 */
export function toDisplay(text: string): string {
  return text.replace(unsafe, (character) => {
    const short = shortEscapes[character];
    if (short !== undefined) return short;
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}

/**
 * JSON of `value` on one line that a terminal can show safely: what `toDisplay` would escape is written as `\uXXXX`,
 * so a reader of the JSON gets every character back. Throws TypeError for what JSON cannot hold (a bigint, a cycle).
 */
export function toDisplayJson(value: unknown): string {
  // Outside its strings JSON holds none of these characters, so replacing them everywhere changes strings only.
  return JSON.stringify(value).replace(unsafe, (character) => {
    let escaped = '';
    for (let index = 0; index < character.length; index++) {
      escaped += `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`;
    }
    return escaped;
  });
}
