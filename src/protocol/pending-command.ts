import { ByteSource } from './byte-source.ts';
import type { Command } from './command.ts';
import type { CommandPart, EncodedCommand } from './encoder.ts';

/** Bytes handed to the transport at a time: enough to keep it busy, few enough to see the upload progress. */
const pieceBytes = 256 * 1024;
/** A rest this small goes along: Courier acts on a literal's last byte, so the CRLF after it should not come late. */
const tailBytes = 4096;

/** A command on its way: how much of it was handed over, and who waits for its answer. */
export class PendingCommand {
  readonly command: Command<unknown>;
  readonly tag: string;
  readonly groups: readonly (readonly CommandPart[])[];
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
  /** Untagged responses it has taken. */
  responses = 0;
  /** When the group that is next or under way began to leave, by the connection's clock. */
  groupBegunAtMs = 0;
  #group = 0;
  #part = 0;
  #offset = 0;
  #groupBytesLeft: number;
  #groupBegun = false;
  #abandoned = false;

  constructor(
    command: Command<unknown>,
    tag: string,
    encoded: EncodedCommand,
    resolve: (result: never) => void,
    reject: (error: Error) => void,
  ) {
    this.command = command;
    this.tag = tag;
    this.resolve = resolve;
    this.reject = reject;
    this.groups = encoded.groups;
    this.#groupBytesLeft = countBytes(encoded.groups[0]);
  }

  /** Index of the group that is next or under way. */
  get group(): number {
    return this.#group;
  }

  /** True when no byte of the current group was handed over yet. */
  get atGroupStart(): boolean {
    return !this.#groupBegun;
  }

  /** True when the current group is with the transport and another one waits for `+`. */
  get awaitsContinuation(): boolean {
    return this.#groupBytesLeft === 0 && !this.#inFinalGroup;
  }

  /** True when there is nothing more to hand over. */
  get fullySent(): boolean {
    return this.#groupBytesLeft === 0 && (this.#inFinalGroup || this.#abandoned);
  }

  /** True when the server may have acted on it although no answer came: bytes of the last group have left. */
  get mayHaveTakenEffect(): boolean {
    return this.command.changesState && this.#inFinalGroup && this.#groupBegun;
  }

  /** The server said `+`: the next group may go. */
  continue(): void {
    this.#group++;
    this.#part = 0;
    this.#offset = 0;
    this.#groupBegun = false;
    this.#groupBytesLeft = countBytes(this.groups[this.#group]);
  }

  /**
   * The server refused it early. Groups that were not begun are not sent; one that was begun is finished, because the
   * server was told the size of its literals and would read whatever came next as their content.
   */
  abandon(): void {
    this.#abandoned = true;
    if (!this.#groupBegun) this.#groupBytesLeft = 0;
  }

  /** The streams its literals come from. */
  *sources(): Generator<ByteSource, void, void> {
    for (const group of this.groups) for (const part of group) if (part instanceof ByteSource) yield part;
  }

  /** The next bytes to hand over; none while it waits for a stream. */
  nextPiece(): { readonly parts: readonly Buffer[]; readonly bytes: number } {
    this.#groupBegun = true;
    const group = this.groups[this.#group] ?? [];
    const budget = this.#groupBytesLeft <= pieceBytes + tailBytes ? this.#groupBytesLeft : pieceBytes;
    const parts: Buffer[] = [];
    let bytes = 0;
    while (bytes < budget) {
      const part = group[this.#part];
      if (part === undefined) break;
      if (part instanceof ByteSource) {
        // A stream that holds more than it said must show it before anything behind it is sent.
        if (part.exhausted) {
          this.#part++;
          continue;
        }
        const piece = part.take(budget - bytes);
        if (piece === null) break;
        parts.push(piece);
        bytes += piece.length;
        continue;
      }
      const end = Math.min(part.length, this.#offset + budget - bytes);
      parts.push(this.#offset === 0 && end === part.length ? part : part.subarray(this.#offset, end));
      bytes += end - this.#offset;
      this.#offset = end;
      if (end < part.length) break;
      this.#part++;
      this.#offset = 0;
    }
    this.#groupBytesLeft -= bytes;
    return { parts, bytes };
  }

  get #inFinalGroup(): boolean {
    return this.#group === this.groups.length - 1;
  }
}

function countBytes(group: readonly CommandPart[] | undefined): number {
  let bytes = 0;
  for (const part of group ?? []) bytes += part.length;
  return bytes;
}
