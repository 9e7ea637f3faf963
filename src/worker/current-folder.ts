import {
  type FolderName,
  type ImapClient,
  ImapError,
  type SelectedFolder,
  type SelectFolderOptions,
  type Unsolicited,
} from '../protocol/index.ts';

/** Somebody for whom a folder is selected. */
export interface Visitor {
  /** News of that folder. */
  hear(news: Unsolicited): void;
}

/** Somebody who comes for a look and leaves at once. */
export const passerBy: Visitor = { hear: () => {} };

/**
 * The one folder a connection can be in. Several may want a folder of their own on it, one behind the other and without
 * waiting for answers: whoever sends something first makes sure that what was sent last leads to his folder.
 */
export class CurrentFolder {
  readonly client: ImapClient;
  /** Whose folder it is once everything sent has been answered. */
  #chosen: Visitor | null = null;
  /** Whose folder it is as far as the answers go. */
  #present: Visitor | null = null;
  /** The server would not leave a folder. */
  #stays = false;

  constructor(client: ImapClient) {
    this.client = client;
    client.onUnsolicited = (news) => this.#present?.hear(news);
  }

  /** True: what is sent now is about the folder of `visitor`. */
  isOf(visitor: Visitor): boolean {
    return this.#chosen === visitor;
  }

  /** True: what is sent now finds no folder selected. */
  get isLeft(): boolean {
    return this.#chosen === null && !this.#stays;
  }

  /** Selects a folder for `visitor`. Rejects as `ImapClient.selectFolder`. */
  async select(visitor: Visitor, folder: FolderName, options: SelectFolderOptions = {}): Promise<SelectedFolder> {
    this.#chosen = visitor;
    const onSelected = (selected: SelectedFolder | null) => {
      this.#present = selected === null ? null : visitor;
      options.onSelected?.(selected);
    };
    return await this.client.selectFolder(folder, { ...options, onSelected });
  }

  /** Leaves the folder without expunging anything, where the server has a command for that. A lost connection shows later. */
  async leave(): Promise<void> {
    this.#chosen = null;
    if (!this.client.hasCapability('UNSELECT')) {
      this.#stays = true;
      return;
    }
    try {
      await this.client.unselectFolder();
      this.#stays = false;
    } catch (error) {
      // Refused: a folder that was selected stays so, which only costs updates nobody needs.
      if (!(error instanceof ImapError)) throw error;
      this.#stays = this.client.selected !== null;
    }
  }
}
