import { type Command, simpleCommand } from '../command.ts';
import { ProtocolError } from '../errors.ts';
import { type FolderNaming, toReadableName } from '../folder-naming.ts';
import type { Lexer, Value } from '../lexer.ts';

export interface NamespaceEntry {
  readonly prefix: string;
  /** As listed, one character per byte (latin1). */
  readonly rawPrefix: string;
  readonly delimiter: string | null;
}

export interface Namespaces {
  readonly personal: NamespaceEntry[];
  readonly other: NamespaceEntry[];
  readonly shared: NamespaceEntry[];
}

/** NAMESPACE (RFC 2342). */
export function namespaceCommand(naming: FolderNaming): Command<Namespaces> {
  let namespaces: Namespaces | null = null;
  return {
    ...simpleCommand('NAMESPACE', 'free', false),
    accept(response) {
      if (response.kind !== 'data' || response.name !== 'NAMESPACE') return false;
      const { lexer } = response;
      const next = () => {
        lexer.space();
        return toNamespaceEntries(lexer, naming);
      };
      namespaces = { personal: next(), other: next(), shared: next() };
      lexer.finish();
      return true;
    },
    finish() {
      if (namespaces === null) throw new ProtocolError('NAMESPACE was answered without a namespace');
      return namespaces;
    },
  };
}

function toNamespaceEntries(lexer: Lexer, naming: FolderNaming): NamespaceEntry[] {
  const value = lexer.value();
  if (value === null) return [];
  if (!Array.isArray(value)) return lexer.fail('a namespace');
  return value.map((entry: Value) => {
    if (!Array.isArray(entry)) return lexer.fail('a namespace');
    const rawPrefix = toLatin1(entry[0]) ?? lexer.fail('a namespace prefix');
    return { prefix: toReadableName(rawPrefix, naming), rawPrefix, delimiter: toLatin1(entry[1]) || null };
  });
}

function toLatin1(value: Value | undefined): string | null {
  if (Buffer.isBuffer(value)) return value.toString('latin1');
  return typeof value === 'string' ? value : null;
}
