const mask = '***';

/** From this length on a secret is also recognised when only its beginning was echoed: servers cut long lines. */
const longSecret = 24;
const recognisedPrefix = 12;

/**
 * Knows what must never be shown and finds it in any text: as it is, escaped as in a quoted string, as UTF-8 bytes read
 * as latin1, and in base64. Servers do echo command lines in their complaints.
 */
export class Redactor {
  readonly #forms = new Set<string>();
  #pattern: RegExp | null = null;

  /** From now on `secret` is masked. The empty string is no secret. */
  add(secret: string): void {
    if (secret === '') return;
    const bytes = Buffer.from(secret, 'utf8');
    const escaped = secret.replace(/["\\]/g, '\\$&');
    for (const form of [secret, escaped, bytes.toString('latin1'), bytes.toString('base64')]) this.#forms.add(form);
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
  // The longest first: of two secrets, one inside the other, the whole one has to go.
  const ordered = [...forms].sort((a, b) => b.length - a.length);
  return new RegExp(ordered.map(toAlternative).join('|'), 'gu');
}

function toAlternative(form: string): string {
  if (form.length < longSecret) return escapePattern(form);
  return `${escapePattern(form)}|${escapePattern(form.slice(0, recognisedPrefix))}[\\w+/=.~-]*`;
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
