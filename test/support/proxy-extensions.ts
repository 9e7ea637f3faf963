/**
 * What it means that a server does not have an extension: it does not name it, does not answer in its terms, and says BAD to
 * commands that use it.
 */

/** A command as the rules see it. */
export interface CommandText {
  /** Upper case, with `UID ` in front where it was sent. */
  readonly name: string;
  /** Everything after the name, upper case; quoted strings are empty, literals are `{n}`. */
  readonly text: string;
  /** Literals it carries: the messages of an APPEND. */
  readonly literals: number;
}

interface ExtensionRule {
  /** Names that disappear from CAPABILITY. */
  readonly capabilities: RegExp;
  /** Commands that only exist with the extension. */
  readonly uses?: (command: CommandText) => boolean;
  /** What its answers look like without it; `null` drops the line. */
  readonly rewrite?: (line: string) => string | null;
}

const isFetch = /^(UID )?FETCH$/;
const isStore = /^(UID )?STORE$/;
const isSearch = /^(UID )?SEARCH$/;
const specialUse = /\\(All|Archive|Drafts|Flagged|Important|Junk|Sent|Trash)(?=[ )])/gi;

const rules = {
  BINARY: {
    capabilities: /^BINARY$/,
    uses: ({ name, text }) => /~\{/.test(text) || (isFetch.test(name) && /\bBINARY\b/.test(text)),
  },
  COMPRESS: { capabilities: /^COMPRESS=/, uses: ({ name }) => name === 'COMPRESS' },
  CONDSTORE: {
    capabilities: /^(CONDSTORE|QRESYNC)$/,
    uses: ({ name, text }) =>
      (/^(SELECT|EXAMINE|ENABLE)$/.test(name) && /\b(CONDSTORE|QRESYNC)\b/.test(text)) ||
      (/^(STATUS|LIST)$/.test(name) && /\bHIGHESTMODSEQ\b/.test(text)) ||
      ((isFetch.test(name) || isStore.test(name) || isSearch.test(name)) &&
        /\b(MODSEQ|CHANGEDSINCE|UNCHANGEDSINCE)\b/.test(text)),
    rewrite: (line) => (/^\* OK \[(HIGHESTMODSEQ|NOMODSEQ)\b/i.test(line) ? null : line),
  },
  ENABLE: { capabilities: /^ENABLE$/, uses: ({ name }) => name === 'ENABLE' },
  ESEARCH: {
    capabilities: /^ESEARCH$/,
    uses: ({ name, text }) => isSearch.test(name) && /^RETURN\b/.test(text),
  },
  ID: { capabilities: /^ID$/, uses: ({ name }) => name === 'ID' },
  IDLE: { capabilities: /^IDLE$/, uses: ({ name }) => name === 'IDLE' },
  'LIST-EXTENDED': {
    // RETURN (STATUS …) is written in its grammar.
    capabilities: /^LIST-(EXTENDED|STATUS)$/,
    uses: ({ name, text }) => name === 'LIST' && (/^\(/.test(text) || /\bRETURN \(/.test(text)),
  },
  'LIST-STATUS': {
    capabilities: /^LIST-STATUS$/,
    uses: ({ name, text }) => name === 'LIST' && /\bRETURN \(.*\bSTATUS\b/.test(text),
  },
  /** The session itself refuses `{n+}`: what follows is then out of step. */
  'LITERAL+': { capabilities: /^LITERAL[+-]$/ },
  MOVE: { capabilities: /^MOVE$/, uses: ({ name }) => /^(UID )?MOVE$/.test(name) },
  MULTIAPPEND: {
    capabilities: /^MULTIAPPEND$/,
    uses: ({ name, literals }) => name === 'APPEND' && literals > 1,
  },
  NAMESPACE: { capabilities: /^NAMESPACE$/, uses: ({ name }) => name === 'NAMESPACE' },
  QUOTA: { capabilities: /^QUOTA/, uses: ({ name }) => /^(GET|SET)QUOTA/.test(name) },
  'SASL-IR': {
    capabilities: /^SASL-IR$/,
    uses: ({ name, text }) => name === 'AUTHENTICATE' && / /.test(text),
  },
  'SPECIAL-USE': {
    capabilities: /^(CREATE-)?SPECIAL-USE$/,
    uses: ({ name, text }) =>
      (name === 'LIST' && /\bSPECIAL-USE\b/.test(text)) || (name === 'CREATE' && /\(USE\b/.test(text)),
    rewrite: (line) =>
      /^\* (LIST|LSUB) \(/i.test(line)
        ? line.replace(/\([^)]*\)/, (attributes) =>
            attributes.replace(specialUse, '').replace(/ +(?=[ )])|(?<=\() +/g, ''),
          )
        : line,
  },
  STARTTLS: { capabilities: /^STARTTLS$/, uses: ({ name }) => name === 'STARTTLS' },
  'STATUS=SIZE': {
    capabilities: /^STATUS=SIZE$/,
    uses: ({ name, text }) => /^(STATUS|LIST)$/.test(name) && /\bSIZE\b/.test(text),
  },
  UIDPLUS: {
    capabilities: /^UIDPLUS$/,
    uses: ({ name }) => name === 'UID EXPUNGE',
    rewrite: (line) => line.replace(/^(\S+ OK )\[(APPENDUID|COPYUID) [^\]]*\] ?/i, '$1'),
  },
  UNSELECT: { capabilities: /^UNSELECT$/, uses: ({ name }) => name === 'UNSELECT' },
} as const satisfies Record<string, ExtensionRule>;

export type ExtensionName = keyof typeof rules;

/** A set of extensions that a server does not have. */
export class MissingExtensions {
  readonly #names: readonly ExtensionName[];

  /** The proxy cannot read through encryption or compression, so these two are never there. */
  constructor(names: readonly ExtensionName[]) {
    this.#names = [...new Set<ExtensionName>([...names, 'STARTTLS', 'COMPRESS'])];
  }

  has(name: ExtensionName): boolean {
    return this.#names.includes(name);
  }

  /** The extension that `command` would need; `null`: it needs none of them. */
  neededBy(command: CommandText): ExtensionName | null {
    return this.#names.find((name) => ruleOf(name).uses?.(command)) ?? null;
  }

  /** The first line of a response (without CRLF) as a server without them would send it; `null`: not at all. */
  rewrite(line: string): string | null {
    let text = line.replace(/^(\* CAPABILITY )(.*)$|(\[CAPABILITY )([^\]]*)/i, (_, start, names, code, codeNames) =>
      start === undefined ? `${code}${this.#strip(codeNames)}` : `${start}${this.#strip(names)}`,
    );
    for (const name of this.#names) {
      const next = ruleOf(name).rewrite?.(text);
      if (next === null) return null;
      text = next ?? text;
    }
    return text;
  }

  #strip(capabilities: string): string {
    return capabilities
      .split(' ')
      .filter((capability) => !this.#names.some((name) => ruleOf(name).capabilities.test(capability.toUpperCase())))
      .join(' ');
  }
}

function ruleOf(name: ExtensionName): ExtensionRule {
  return rules[name];
}
