import type { Command } from '../command.ts';
import type { Encoder } from '../encoder.ts';
import type { FetchData } from '../fetch-data.ts';
import { expandSequenceSet } from '../sequence-set.ts';
import type { ResponseCode } from '../types.ts';
import { encodeFolderName } from '../utf7.ts';
import { AskedMessages } from './asked-messages.ts';
import { joinNumbers } from './copy.ts';
import type { MessageRequest } from './message.ts';

export interface StoreRequest extends MessageRequest {
  readonly action: 'add' | 'remove' | 'set';
  /** X-GM-LABELS: labels in Unicode, Gmail's own with their backslash. */
  readonly item: 'FLAGS' | 'X-GM-LABELS';
  readonly values: readonly string[];
  /** The server need not answer with the new values. */
  readonly silent: boolean;
  /** Leaves messages alone that changed after this mod-sequence (RFC 7162 3.1.3). */
  readonly unchangedSince: bigint | undefined;
}

/** What STORE answered, by UID or sequence number, as it was asked. */
export interface StoreResult {
  /** The new flags, or labels, of each message. A silent STORE has none. */
  readonly values: ReadonlyMap<number, readonly string[]>;
  /** The new mod-sequences, from a server with CONDSTORE that was asked with `unchangedSince` or has it enabled. */
  readonly modSeqs: ReadonlyMap<number, bigint>;
  /** With `unchangedSince`: the messages that were left alone because they had changed. */
  readonly modified: Uint32Array;
}

const signs = { add: '+', remove: '-', set: '' } as const;
/** More messages than any one command line can name. */
const maxModified = 1_000_000;

/** STORE and UID STORE (RFC 9051 6.4.6). */
export function storeCommand(request: StoreRequest): Command<StoreResult> {
  const { useUid, silent, unchangedSince, item } = request;
  const name = useUid ? 'UID STORE' : 'STORE';
  const asked = new AskedMessages(request.set);
  const values = new Map<number, readonly string[]>();
  const modSeqs = new Map<number, bigint>();
  return {
    name,
    pipelining: useUid ? 'selected' : 'sequence',
    changesState: true,
    write(out) {
      out.raw(`${name} `).sequenceSet(request.set).sp();
      if (unchangedSince !== undefined) out.raw('(UNCHANGEDSINCE ').number(unchangedSince).raw(') ');
      out.raw(`${signs[request.action]}${item}${silent ? '.SILENT' : ''} `);
      if (item === 'FLAGS') out.flags(request.values);
      else writeLabels(out, request.values);
    },
    acceptFetch(data) {
      const number = useUid ? data.uid : data.seq;
      const stored = item === 'FLAGS' ? data.flags : data.items?.gmailLabels;
      const answers = silent ? stored === undefined && data.modSeq !== undefined : stored !== undefined;
      if (number === undefined || !answers || hasMore(data)) return false;
      if (!asked.has(number, data.seq >= request.lastSeq())) return false;
      if (stored !== undefined) values.set(number, stored);
      if (data.modSeq !== undefined) modSeqs.set(number, data.modSeq);
      return true;
    },
    finish: (answer) => ({ values, modSeqs, modified: modifiedOf(answer.code) }),
  };
}

function modifiedOf(code: ResponseCode | null): Uint32Array {
  const isNamed = code?.name === 'MODIFIED' && code.text !== '';
  return isNamed ? expandSequenceSet(code.text.trim(), maxModified) : new Uint32Array(0);
}

/** Gmail's own labels are written like flags, all others as strings in modified UTF-7. */
function writeLabels(out: Encoder, labels: readonly string[]): void {
  out.raw('(');
  labels.forEach((label, index) => {
    if (index > 0) out.sp();
    if (/^\\[A-Za-z]+$/.test(label)) out.raw(label);
    else out.astring(encodeFolderName(label));
  });
  out.raw(')');
}

/** True when a response has what no STORE answers: it belongs to a FETCH. */
function hasMore({ size, internalDate, body, sections, items, other }: FetchData): boolean {
  const fields = items === undefined ? [] : Object.keys(items).filter((field) => field !== 'gmailLabels');
  return fields.length > 0 || [size, internalDate, body, sections, other].some((item) => item !== undefined);
}

/** What several commands stored, as one. */
export function joinStores(results: readonly StoreResult[]): StoreResult {
  const [only] = results;
  if (only !== undefined && results.length === 1) return only;
  return {
    values: new Map(results.flatMap(({ values }) => [...values])),
    modSeqs: new Map(results.flatMap(({ modSeqs }) => [...modSeqs])),
    modified: joinNumbers(results.map(({ modified }) => modified)),
  };
}
