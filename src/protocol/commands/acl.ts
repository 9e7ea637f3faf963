import { type Command, simpleCommand } from '../command.ts';
import type { Encoder } from '../encoder.ts';
import { ProtocolError, UsageError } from '../errors.ts';
import { isSameFolder } from '../folder-naming.ts';
import type { Lexer } from '../lexer.ts';
import type { FolderName } from '../types.ts';

/** What one identifier may do with a folder (RFC 4314). */
export interface AclEntry {
  /** A user, a group, `anyone`; behind a `-` what is taken away. One character per byte (latin1). */
  readonly identifier: string;
  /** Letters: `lrswipkxte`. */
  readonly rights: string;
}

/** Which rights an identifier may be given (RFC 4314 3.7). */
export interface RightsChoice {
  /** Those it always has. */
  readonly required: string;
  /** Those that can be given; letters that stand together are given together. */
  readonly optional: readonly string[];
}

/** GETACL (RFC 4314 3.3). */
export function getAclCommand(folder: FolderName): Command<AclEntry[]> {
  return aboutFolder('GETACL', 'ACL', folder, (lexer) => {
    const entries: AclEntry[] = [];
    for (lexer.skipSpaces(); !lexer.atEnd; lexer.skipSpaces()) {
      const identifier = lexer.astring();
      lexer.space();
      entries.push({ identifier, rights: lexer.astring() });
    }
    return entries;
  });
}

/** MYRIGHTS (RFC 4314 3.5). */
export function myRightsCommand(folder: FolderName): Command<string> {
  return aboutFolder('MYRIGHTS', 'MYRIGHTS', folder, (lexer) => {
    lexer.space();
    return lexer.astring();
  });
}

/** LISTRIGHTS (RFC 4314 3.4). */
export function listRightsCommand(folder: FolderName, identifier: string): Command<RightsChoice> {
  const read = (lexer: Lexer) => {
    lexer.space();
    lexer.astring();
    lexer.space();
    const required = lexer.astring();
    const optional: string[] = [];
    for (lexer.skipSpaces(); !lexer.atEnd; lexer.skipSpaces()) optional.push(lexer.astring());
    return { required, optional };
  };
  return aboutFolder('LISTRIGHTS', 'LISTRIGHTS', folder, read, (out) => out.sp().astring(identifier));
}

/** SETACL (RFC 4314 3.1). `rights` replaces what is there, behind `+` or `-` it adds to or takes from it. */
export function setAclCommand(folder: FolderName, identifier: string, rights: string): Command<void> {
  return {
    ...simpleCommand('SETACL', 'free', true),
    write(out) {
      if (!/^[+-]?[a-z0-9]*$/.test(rights))
        throw new UsageError(`${JSON.stringify(rights.slice(0, 40))} are no rights`);
      out.raw('SETACL').sp().mailbox(folder).sp().astring(identifier).sp().astring(rights);
    },
  };
}

/** DELETEACL (RFC 4314 3.2). */
export function deleteAclCommand(folder: FolderName, identifier: string): Command<void> {
  return {
    ...simpleCommand('DELETEACL', 'free', true),
    write: (out) => void out.raw('DELETEACL').sp().mailbox(folder).sp().astring(identifier),
  };
}

/** A command about one folder that is answered by one response, which names the folder first. */
function aboutFolder<Result>(
  name: string,
  responseName: string,
  folder: FolderName,
  read: (lexer: Lexer) => Result,
  writeMore: (out: Encoder) => void = () => {},
): Command<Result> {
  let answered: { readonly result: Result } | null = null;
  return {
    name,
    pipelining: 'free',
    changesState: false,
    write(out) {
      out.raw(name).sp().mailbox(folder);
      writeMore(out);
    },
    accept(response) {
      if (response.kind !== 'data' || response.name !== responseName) return false;
      response.lexer.space();
      if (!isSameFolder(folder, response.lexer.astring())) return false;
      answered = { result: read(response.lexer) };
      response.lexer.finish();
      return true;
    },
    finish() {
      if (answered === null) throw new ProtocolError(`${name} was answered without ${responseName} of that folder`);
      return answered.result;
    },
  };
}
