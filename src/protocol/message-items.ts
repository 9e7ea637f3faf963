import { type BodyPart, parseBodyStructure } from './body-structure.ts';
import { internalDateToDate } from './datetime.ts';
import { type Envelope, parseEnvelope } from './envelope.ts';
import { toUnicode } from './header-text.ts';
import type { Lexer } from './lexer.ts';
import { readText, skipToClose } from './lexer-text.ts';
import { decodeFolderName } from './utf7.ts';

/** FETCH items beyond those that every synchronisation asks for. `undefined`: not in the response. */
export interface MessageItems {
  envelope?: Envelope | null;
  /** BODYSTRUCTURE; null where the server said NIL. */
  bodyStructure?: BodyPart | null;
  /** BODY: the same without extension data. */
  bodyBasic?: BodyPart | null;
  /** BINARY.SIZE[…] in bytes, by section (RFC 3516). */
  binarySizes?: Map<string, number>;
  /** EMAILID (RFC 8474). */
  emailId?: string;
  /** THREADID (RFC 8474); null: the server knows of no thread. */
  threadId?: string | null;
  /** X-GM-MSGID. */
  gmailMessageId?: bigint;
  /** X-GM-THRID. */
  gmailThreadId?: bigint;
  /** X-GM-LABELS: Unicode; those of Gmail's own begin with a backslash. */
  gmailLabels?: readonly string[];
  /** SAVEDATE (RFC 8514); null: the folder keeps none. */
  saveDate?: Date | null;
  /** PREVIEW (RFC 8970); null: none yet. */
  preview?: string | null;
}

/**
 * Reads the item `name`, in upper case, into `items`, made where there are none yet. Undefined where it is none of these:
 * the lexer has not moved.
 */
export function readMessageItem(name: string, lexer: Lexer, items: MessageItems | undefined): MessageItems | undefined {
  if (fields[name] === undefined) return undefined;
  const target = items ?? {};
  switch (name) {
    case 'ENVELOPE':
      target.envelope = lexer.nil() ? null : parseEnvelope(lexer);
      break;
    case 'BODYSTRUCTURE':
      target.bodyStructure = lexer.nil() ? null : parseBodyStructure(lexer);
      break;
    case 'BODY':
      target.bodyBasic = lexer.nil() ? null : parseBodyStructure(lexer);
      break;
    case 'EMAILID':
      target.emailId = readObjectId(lexer);
      break;
    case 'THREADID':
      target.threadId = lexer.nil() ? null : readObjectId(lexer);
      break;
    case 'X-GM-MSGID':
      target.gmailMessageId = lexer.number64();
      break;
    case 'X-GM-THRID':
      target.gmailThreadId = lexer.number64();
      break;
    case 'X-GM-LABELS':
      target.gmailLabels = readLabels(lexer);
      break;
    case 'SAVEDATE':
      target.saveDate = readSaveDate(lexer);
      break;
    default:
      target.preview = readPreview(lexer);
  }
  return target;
}

/** BINARY.SIZE[section] (RFC 3516 4.3). */
export function readBinarySize(section: string, lexer: Lexer, items: MessageItems | undefined): MessageItems {
  const target = items ?? {};
  target.binarySizes ??= new Map();
  target.binarySizes.set(section, lexer.number53());
  return target;
}

/** The field that `name`, an item as asked for in upper case, arrives in; null for items of other places. */
export function fieldOf(name: string): keyof MessageItems | null {
  if (name.startsWith('BINARY.SIZE[')) return 'binarySizes';
  // RFC 8970 3.1: the item may be asked for as `PREVIEW (LAZY)`.
  return fields[name.replace(/ ?\(.*$/, '')] ?? null;
}

const fields: Readonly<Record<string, keyof MessageItems>> = {
  ENVELOPE: 'envelope',
  BODYSTRUCTURE: 'bodyStructure',
  BODY: 'bodyBasic',
  EMAILID: 'emailId',
  THREADID: 'threadId',
  'X-GM-MSGID': 'gmailMessageId',
  'X-GM-THRID': 'gmailThreadId',
  'X-GM-LABELS': 'gmailLabels',
  SAVEDATE: 'saveDate',
  PREVIEW: 'preview',
};

function readObjectId(lexer: Lexer): string {
  lexer.open();
  const id = lexer.astring();
  skipToClose(lexer);
  return id;
}

function readLabels(lexer: Lexer): string[] {
  const labels: string[] = [];
  lexer.list(() => {
    const raw = lexer.astring();
    labels.push(decodeFolderName(raw) ?? toUnicode(raw));
  });
  return labels;
}

function readSaveDate(lexer: Lexer): Date | null {
  const raw = readText(lexer);
  return raw === null ? null : internalDateToDate(raw);
}

function readPreview(lexer: Lexer): string | null {
  const raw = readText(lexer);
  return raw === null ? null : toUnicode(raw);
}
