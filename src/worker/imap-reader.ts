import { MessageTable } from '../plan/message-table.ts';
import { selectMissing } from '../plan/select.ts';
import { CommandError, type ImapClient, type SelectedFolder } from '../protocol/index.ts';
import { ContentRows } from './content-rows.ts';
import type { FolderContents, SelectedFacts } from './contract.ts';
import type { Fetched, ListedMessages, ReadableFolder } from './endpoint.ts';
import { toModSeq } from './imap-endpoint.ts';

/** Messages in one window of a folder's listing: the first one is small, so that copying starts soon. */
const firstScanWindow = 500;
const scanWindow = 5_000;
/** Messages asked for in one FETCH of a verification. */
const inspectWindow = { bodies: 200, headers: 2_000 };

/** A folder opened with EXAMINE; read with BODY.PEEK, so that nothing at the source changes. */
export class ImapReader implements ReadableFolder {
  readonly facts: SelectedFacts;
  readonly #client: ImapClient;
  #expunges = 0;

  constructor(client: ImapClient, selected: SelectedFolder) {
    this.#client = client;
    this.facts = toFacts(selected);
    client.onUnsolicited = (data) => {
      if (data.kind === 'expunge' || data.kind === 'vanished') this.#expunges++;
    };
  }

  async *scan(): AsyncIterable<ListedMessages> {
    const { exists } = this.facts;
    const sent = new MessageTable();
    let from = 1;
    let to = Math.min(firstScanWindow, exists);
    let next = from <= exists ? this.#listWindow(from, to) : null;
    while (next !== null) {
      const listed = next;
      from = to + 1;
      to = Math.min(to + scanWindow, exists);
      // The following window is asked for before this one is handed on.
      next = from <= exists ? this.#listWindow(from, to) : null;
      next?.catch(() => {});
      const table = await listed;
      sent.append(table.columns());
      yield table.columns();
    }
    // An EXPUNGE moves later messages down, out of windows not yet asked for. Whoever was missed shows in a list by UID.
    if (this.#expunges > 0 && exists > 0) {
      const all = new MessageTable();
      await this.#client.fetchEach('1:*', ['UID', 'RFC822.SIZE'], ({ uid, size }) => {
        if (uid !== undefined) all.push(uid, size ?? 0);
      });
      const missed = all.pick(selectMissing(all.uids, sent.uids));
      if (missed.length > 0) yield missed.columns();
    }
  }

  async #listWindow(from: number, to: number): Promise<MessageTable> {
    const table = new MessageTable(to - from + 1);
    await this.#client.fetchEach(
      `${from}:${to}`,
      ['UID', 'RFC822.SIZE'],
      ({ uid, size }) => {
        if (uid !== undefined) table.push(uid, size ?? 0);
      },
      { useUid: false },
    );
    return table;
  }

  async fetch(uids: Uint32Array): Promise<Fetched[]> {
    const found = new Map<number, Fetched>();
    const refusal = await this.#fetchInto(uids, found);
    if (refusal !== null && found.size < uids.length) {
      // One bad message must not take its neighbours along: ask for the missing ones one by one.
      for (const uid of uids) {
        if (found.has(uid)) continue;
        const again = await this.#fetchInto(Uint32Array.of(uid), found);
        // RFC 5530: EXPUNGEISSUED says that the message is gone, not that it is bad.
        if (again === null || found.has(uid) || again.responseCode === 'EXPUNGEISSUED') continue;
        found.set(uid, { kind: 'unreadable', uid, text: again.text });
      }
    }
    return Array.from(uids, (uid) => found.get(uid) ?? { kind: 'gone', uid });
  }

  /** One UID FETCH; answers the server's refusal, `null` for OK. */
  async #fetchInto(uids: Uint32Array, found: Map<number, Fetched>): Promise<CommandError | null> {
    try {
      await this.#client.fetchEach(uids, ['UID', 'FLAGS', 'INTERNALDATE', 'BODY.PEEK[]'], (data) => {
        const { uid, body } = data;
        if (uid === undefined || body === undefined) return;
        if (body === null) {
          found.set(uid, { kind: 'unreadable', uid, text: 'the server answered NIL instead of the message' });
        } else {
          const message = { uid, flags: data.flags ?? [], internalDate: data.internalDate ?? null, body };
          found.set(uid, { kind: 'message', message });
        }
      });
      return null;
    } catch (error) {
      if (error instanceof CommandError) return error;
      throw error;
    }
  }

  async inspect(options: { readonly bodies: boolean }): Promise<FolderContents> {
    const rows = new ContentRows(options.bodies);
    const section = options.bodies ? 'BODY.PEEK[]' : 'BODY.PEEK[HEADER.FIELDS (MESSAGE-ID DATE FROM SUBJECT)]';
    const items = ['UID', 'FLAGS', 'INTERNALDATE', 'RFC822.SIZE', section];
    const window = options.bodies ? inspectWindow.bodies : inspectWindow.headers;
    for await (const { uids } of this.scan()) {
      for (let start = 0; start < uids.length; start += window) {
        const slice = uids.subarray(start, start + window);
        const refusal = await this.#inspectInto(slice, items, rows);
        if (refusal === null) continue;
        for (const uid of slice) {
          if (rows.has(uid)) continue;
          const again = await this.#inspectInto(Uint32Array.of(uid), items, rows);
          if (again !== null && again.responseCode !== 'EXPUNGEISSUED' && !rows.has(uid)) rows.addUnreadable(uid);
        }
      }
    }
    return rows.contents();
  }

  async #inspectInto(uids: Uint32Array, items: readonly string[], rows: ContentRows): Promise<CommandError | null> {
    try {
      await this.#client.fetchEach(uids, items, (data) => rows.add(data));
      return null;
    } catch (error) {
      if (error instanceof CommandError) return error;
      throw error;
    }
  }
}

/** What a SELECT or EXAMINE told, in a form that crosses threads. */
export function toFacts(selected: SelectedFolder): SelectedFacts {
  return {
    uidValidity: selected.uidValidity,
    uidNext: selected.uidNext,
    exists: selected.exists,
    highestModSeq: toModSeq(selected.highestModSeq),
  };
}
