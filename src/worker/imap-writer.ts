import type { Traits } from '../plan/types.ts';
import {
  type AppendMessage,
  CommandError,
  type FetchData,
  type FolderName,
  type ImapClient,
  type SelectedFolder,
  UsageError,
} from '../protocol/index.ts';
import type { SelectedFacts } from './contract.ts';
import { type CurrentFolder, passerBy } from './current-folder.ts';
import type { AppendOptions, Message, Stored, WritableFolder } from './endpoint.ts';
import { isConnectionLost } from './failure.ts';
import { FlagFilter } from './flag-filter.ts';
import { refusalOf } from './imap-endpoint.ts';
import { toFacts } from './imap-reader.ts';

/** How an account takes batches; shared by all its writers, since what one learns holds for all. */
export interface AppendMode {
  multiAppend: boolean;
  readonly nonSyncLiterals: Traits['nonSyncLiterals'];
}

/**
 * Where every literal waits for the server, the next APPEND may leave before the last one is answered, which saves a round
 * trip. But a server that does not switch Nagle's algorithm off (Courier) then holds its `+` back until our system
 * acknowledges the answer before it, some 40 ms later: pipelining pays on lines longer than that.
 */
const pipelineSyncFromMs = 40;

/** Single APPENDs sent and not answered. */
const pipelinedAppends = 32;

/** A folder opened with SELECT to append to. */
export class ImapWriter implements WritableFolder {
  readonly facts: SelectedFacts;
  readonly #current: CurrentFolder;
  readonly #client: ImapClient;
  readonly #folder: FolderName;
  readonly #filter: FlagFilter;
  readonly #mode: AppendMode;

  private constructor(current: CurrentFolder, folder: FolderName, selected: SelectedFolder, mode: AppendMode) {
    this.facts = toFacts(selected);
    this.#current = current;
    this.#client = current.client;
    this.#folder = folder;
    this.#filter = new FlagFilter(selected.permanentFlags);
    this.#mode = mode;
  }

  /** Opens a folder, and leaves it at once. Rejects as `ImapClient.selectFolder`. */
  static async open(current: CurrentFolder, folder: FolderName, mode: AppendMode): Promise<ImapWriter> {
    // SELECT, since EXAMINE answers with empty PERMANENTFLAGS on some servers (Dovecot). Never CLOSEd: that would expunge.
    const selected = current.select(passerBy, folder);
    // APPEND needs no selected folder, and mailutils imap4d 3.15 loses messages that are appended to one. Not awaited: what
    // comes next may follow at once.
    void current.leave();
    return new ImapWriter(current, folder, await selected, mode);
  }

  splitFlags(flags: readonly string[]) {
    return this.#filter.split(flags);
  }

  get pipelines(): boolean {
    return this.#mode.nonSyncLiterals !== 'none' || this.#client.roundTripMs >= pipelineSyncFromMs;
  }

  get atomic(): boolean {
    return this.#mode.multiAppend;
  }

  distrustBatches(): void {
    this.#mode.multiAppend = false;
  }

  async append(messages: readonly Message[], options: AppendOptions): Promise<Stored[]> {
    const parts = messages.map((message) => this.#toAppend(message));
    if (parts.length > 1 && this.#mode.multiAppend && !options.singly) {
      try {
        const { uids } = await this.#client.multiappend(this.#folder, parts);
        return parts.map((_, index) => ({ kind: 'stored', uid: uids?.[index] ?? null }));
      } catch (error) {
        const answer = toAnswer(error);
        return parts.map(() => answer);
      }
    }
    // Each single APPEND has its own outcome. They leave in order, so many unanswered as the line is worth.
    const window = this.pipelines ? pipelinedAppends : 1;
    const answers: Promise<Stored>[] = [];
    for (const [index, part] of parts.entries()) {
      if (index >= window) await answers[index - window];
      answers.push(options.shouldStop() ? Promise.resolve({ kind: 'unsent' }) : this.#appendOne(part));
    }
    return Promise.all(answers);
  }

  async appendStream(
    message: Message,
    { size, slices }: { readonly size: number; readonly slices: AsyncIterable<Buffer> },
  ): Promise<Stored> {
    return await this.#appendOne({ ...this.#toAppend(message), body: { size, stream: slices } });
  }

  #appendOne(part: AppendMessage): Promise<Stored> {
    return this.#client
      .append(this.#folder, part)
      .then(({ uids }): Stored => ({ kind: 'stored', uid: uids?.[0] ?? null }), toAnswer);
  }

  #toAppend(message: Message): AppendMessage {
    const { kept } = this.#filter.split(message.flags);
    const date = message.internalDate === null ? {} : { internalDate: message.internalDate };
    return { body: message.body, flags: kept, ...date };
  }

  async internalDateOf(uid: number | null): Promise<string | null> {
    let date: string | null = null;
    const client = this.#client;
    const take = (data: FetchData) => {
      date = data.internalDate ?? null;
    };
    // All of it leaves at once: nothing that another folder wants can come between.
    const answers = [
      // A server without UNSELECT stays in it, and Courier takes no message into a folder that is open read-only.
      this.#current.select(passerBy, this.#folder, { readOnly: client.hasCapability('UNSELECT') }),
      client.fetchEach(uid === null ? '*' : Uint32Array.of(uid), ['INTERNALDATE'], take, { ahead: true }),
      this.#current.leave(),
    ];
    for (const answer of await Promise.allSettled<unknown>(answers)) {
      if (answer.status === 'rejected' && isConnectionLost(answer.reason)) throw answer.reason;
    }
    return date;
  }

  async count(): Promise<number | null> {
    // STATUS of the selected folder may be stale (RFC 9051 6.3.11).
    if (!this.#current.isLeft) return null;
    try {
      return (await this.#client.folderStatus(this.#folder, ['MESSAGES'])).messages ?? null;
    } catch (error) {
      if (error instanceof CommandError) return null;
      throw error;
    }
  }
}

function toAnswer(error: unknown): Stored {
  if (error instanceof CommandError) return refusalOf(error);
  // Refused on this side, before a byte was sent: no command can carry it.
  if (error instanceof UsageError) return { kind: 'refused', code: 'BAD', responseCode: null, text: error.message };
  return { kind: 'unknown', error };
}
