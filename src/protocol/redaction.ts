const mask = '***';

/** From this length on a secret is also recognised when only its beginning was echoed: servers cut long lines. */
const longSecret = 24;
const recognisedPrefix = 12;
/** So much of it is told apart character by character. */
const longestBeginning = 200;

/** Base64 that is shorter could be anything. */
const shortestBase64 = 8;

/**
 * The forms in which a secret may turn up in what others say: as it is, escaped as in a quoted string, both also as UTF-8
 * bytes read as latin1, in base64, and what of it stands in the base64 of any longer text, such as a SASL message.
 */
export function formsOf(secret: string): ReadonlySet<string> {
  const escaped = secret.replace(/["\\]/g, '\\$&');
  const latin1 = (text: string) => Buffer.from(text, 'utf8').toString('latin1');
  const forms = new Set([
    secret,
    escaped,
    latin1(secret),
    latin1(escaped),
    Buffer.from(secret, 'utf8').toString('base64'),
  ]);
  for (let offset = 0; offset < 3; offset++) {
    const text = Buffer.concat([Buffer.alloc(offset), Buffer.from(secret, 'utf8')]);
    // The characters at both ends depend on the neighbours, too.
    const inside = text.toString('base64').slice(Math.ceil((offset * 4) / 3), Math.floor((text.length * 4) / 3));
    if (inside.length >= shortestBase64) forms.add(inside);
  }
  return forms;
}

/** Knows what must never be shown and finds it in any text. Servers do echo command lines in their complaints. */
export class Redactor {
  readonly #forms = new Set<string>();
  #pattern: RegExp | null = null;

  /** From now on `secret` is masked. The empty string is no secret. */
  add(secret: string): void {
    if (secret === '') return;
    for (const form of formsOf(secret)) this.#forms.add(form);
    this.#pattern = null;
  }

  /** The text with every form of every secret replaced by `***`. */
  redact(text: string): string {
    if (this.#forms.size === 0) return text;
    this.#pattern ??= toPattern(this.#forms);
    return text.replace(this.#pattern, mask);
  }
}

function toPattern(forms: ReadonlySet<string>): RegExp {
  // The longest first: of two secrets, one inside the other, the whole one has to go. Beginnings come after all that is whole.
  const ordered = [...forms].sort((a, b) => b.length - a.length);
  const beginnings = ordered.filter((form) => form.length >= longSecret).map(toBeginning);
  return new RegExp([...ordered.map(escapePattern), ...beginnings].join('|'), 'gu');
}

/** Matches as much of the beginning of `form` as there is, from `recognisedPrefix` characters on. */
function toBeginning(form: string): string {
  const characters = [...form];
  const rest = characters.slice(recognisedPrefix, longestBeginning).map(escapePattern);
  // A token goes on without blanks.
  const tail = characters.length > longestBeginning ? '[\\w+/=.~-]*' : '';
  const optional = rest.reduceRight((inner, character) => `(?:${character}${inner})?`, tail);
  return escapePattern(characters.slice(0, recognisedPrefix).join('')) + optional;
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
