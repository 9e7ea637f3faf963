import {
  type AppendMessage,
  CommandError,
  type FolderName,
  type ImapClient,
  type SelectedFolder,
} from '../protocol/index.ts';
import type { SelectedFacts } from './contract.ts';
import type { Message, Stored, WritableFolder } from './endpoint.ts';
import { FlagFilter } from './flag-filter.ts';
import { refusalOf } from './imap-endpoint.ts';
import { toFacts } from './imap-reader.ts';

/** How an account takes batches; shared by all its writers, since what one learns holds for all. */
export interface AppendMode {
  multiAppend: boolean;
  /** The writer whose folder is the selected one. */
  selected: ImapWriter | null;
}

/** A folder opened with SELECT to append to. */
export class ImapWriter implements WritableFolder {
  readonly facts: SelectedFacts;
  readonly #client: ImapClient;
  readonly #folder: FolderName;
  readonly #filter: FlagFilter;
  readonly #mode: AppendMode;

  constructor(client: ImapClient, folder: FolderName, selected: SelectedFolder, mode: AppendMode) {
    this.facts = toFacts(selected);
    this.#client = client;
    this.#folder = folder;
    this.#filter = new FlagFilter(selected.permanentFlags);
    this.#mode = mode;
    mode.selected = this;
  }

  splitFlags(flags: readonly string[]) {
    return this.#filter.split(flags);
  }

  get atomic(): boolean {
    return this.#mode.multiAppend;
  }

  distrustBatches(): void {
    this.#mode.multiAppend = false;
  }

  async append(messages: readonly Message[]): Promise<Stored[]> {
    const parts = messages.map((message) => this.#toAppend(message));
    if (parts.length > 1 && this.#mode.multiAppend) {
      try {
        const { uids } = await this.#client.multiappend(this.#folder, parts);
        return parts.map((_, index) => ({ kind: 'stored', uid: uids?.[index] ?? null }));
      } catch (error) {
        const answer = toAnswer(error);
        return parts.map(() => answer);
      }
    }
    // Single APPENDs share the line; each has its own outcome.
    return Promise.all(
      parts.map((part) =>
        this.#client
          .append(this.#folder, part)
          .then(({ uids }): Stored => ({ kind: 'stored', uid: uids?.[0] ?? null }), toAnswer),
      ),
    );
  }

  #toAppend(message: Message): AppendMessage {
    const { kept } = this.#filter.split(message.flags);
    const date = message.internalDate === null ? {} : { internalDate: message.internalDate };
    return { body: message.body, flags: kept, ...date };
  }

  async internalDateOf(uid: number): Promise<string | null> {
    if (this.#mode.selected !== this) return null;
    let date: string | null = null;
    try {
      await this.#client.fetchEach(Uint32Array.of(uid), ['INTERNALDATE'], (data) => {
        date = data.internalDate ?? null;
      });
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
    }
    return date;
  }
}

function toAnswer(error: unknown): Stored {
  return error instanceof CommandError ? refusalOf(error) : { kind: 'unknown', error };
}
