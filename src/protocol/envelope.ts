import { parseMessageDate } from './datetime.ts';
import { LimitError } from './errors.ts';
import { decodeHeader, toUnicode } from './header-text.ts';
import type { Lexer } from './lexer.ts';
import { readText, skipToClose } from './lexer-text.ts';

const OPEN_PAREN = 0x28;

/** One mailbox of an address header (RFC 5322 3.4). */
export interface Address {
  readonly kind: 'address';
  /** The display name, encoded words decoded; null: the server gave none. */
  readonly name: string | null;
  /** As sent, one character per byte (latin1). */
  readonly rawName: string | null;
  /** The source route of RFC 822, which nobody uses. */
  readonly route: string | null;
  /** In front of the `@`. */
  readonly mailbox: string;
  /** Behind the `@`; empty where the header had none. */
  readonly host: string;
  /** `mailbox@host`, or the mailbox alone. */
  readonly address: string;
}

/** A group of RFC 5322 3.4: `undisclosed-recipients:;`. */
export interface AddressGroup {
  readonly kind: 'group';
  readonly name: string;
  readonly rawName: string;
  readonly members: readonly Address[];
}

/** An address header, in its order. */
export type AddressList = readonly (Address | AddressGroup)[];

/**
 * ENVELOPE (RFC 9051 7.5.2). Where the server said NIL a text is null and an address list empty. Texts are Unicode; those
 * that begin with `raw` are as sent, one character per byte (latin1).
 */
export interface Envelope {
  /** The instant of the Date header; null where there is none or it is no date. */
  readonly date: Date | null;
  readonly rawDate: string | null;
  readonly subject: string | null;
  readonly rawSubject: string | null;
  readonly from: AddressList;
  readonly sender: AddressList;
  readonly replyTo: AddressList;
  readonly to: AddressList;
  readonly cc: AddressList;
  readonly bcc: AddressList;
  readonly inReplyTo: string | null;
  /** With its angle brackets. */
  readonly messageId: string | null;
}

/**
 * Reads an ENVELOPE. Fields that are missing at its end count as NIL.
 * @throws ProtocolError where it is no list, LimitError for more than `limits.maxAddresses`.
 */
export function parseEnvelope(lexer: Lexer): Envelope {
  const budget = { addresses: lexer.frame.limits.maxAddresses };
  lexer.skipSpaces();
  lexer.open();
  const rawDate = readText(lexer);
  const rawSubject = readText(lexer);
  const envelope: Envelope = {
    date: rawDate === null ? null : parseMessageDate(rawDate),
    rawDate,
    subject: rawSubject === null ? null : decodeHeader(rawSubject),
    rawSubject,
    from: parseAddressList(lexer, budget),
    sender: parseAddressList(lexer, budget),
    replyTo: parseAddressList(lexer, budget),
    to: parseAddressList(lexer, budget),
    cc: parseAddressList(lexer, budget),
    bcc: parseAddressList(lexer, budget),
    inReplyTo: textOrNull(readText(lexer)),
    messageId: textOrNull(readText(lexer)),
  };
  skipToClose(lexer);
  return envelope;
}

/** The addresses of a list, those inside groups included. */
export function addressesOf(list: AddressList): Address[] {
  return list.flatMap((entry) => (entry.kind === 'group' ? entry.members : [entry]));
}

interface Budget {
  addresses: number;
}

const noAddresses: AddressList = Object.freeze([]);

function parseAddressList(lexer: Lexer, budget: Budget): AddressList {
  lexer.skipSpaces();
  if (lexer.peek() !== OPEN_PAREN) {
    // NIL; or a string, which some servers send for an empty header.
    readText(lexer);
    return noAddresses;
  }
  lexer.open();
  const list: (Address | AddressGroup)[] = [];
  let group: { kind: 'group'; name: string; rawName: string; members: Address[] } | null = null;
  while (!lexer.close()) {
    if (lexer.peek() !== OPEN_PAREN) {
      lexer.value();
      continue;
    }
    if (budget.addresses-- === 0) {
      throw new LimitError(`an envelope holds more than ${lexer.frame.limits.maxAddresses} addresses`);
    }
    lexer.open();
    const rawName = readText(lexer);
    const route = readText(lexer);
    const mailbox = readText(lexer);
    const host = readText(lexer);
    skipToClose(lexer);
    if (host === null && mailbox === null && rawName === null) {
      // RFC 9051 7.5.2: the end of a group.
      group = null;
    } else if (host === null && mailbox !== null && rawName === null) {
      group = { kind: 'group', name: decodeHeader(mailbox), rawName: mailbox, members: [] };
      list.push(group);
    } else {
      const address = toAddress(rawName, route, mailbox ?? '', host ?? '');
      if (group === null) list.push(address);
      else group.members.push(address);
    }
  }
  return list;
}

function toAddress(rawName: string | null, route: string | null, rawMailbox: string, rawHost: string): Address {
  const mailbox = toUnicode(rawMailbox);
  const host = toUnicode(rawHost);
  return {
    kind: 'address',
    name: rawName === null ? null : decodeHeader(rawName),
    rawName,
    route,
    mailbox,
    host,
    address: host === '' ? mailbox : `${mailbox}@${host}`,
  };
}

function textOrNull(raw: string | null): string | null {
  return raw === null ? null : toUnicode(raw);
}
