import { ImapError } from '../protocol/index.ts';
import type { Batch } from './batch.ts';
import type { CopyPort } from './copy.ts';
import { BodyHash } from './digest.ts';
import type { Message, NoMessage, OpenBody, ReadableFolder, RefusedWords, Stored, WritableFolder } from './endpoint.ts';
import { subjectOf } from './subject.ts';

/** A lane that is ending finishes a message of which no more than this is missing. */
const finishedBytes = 4 * 1024 * 1024;
/** Of a message that is refused, so much is kept to name it by. */
const keptBytes = 64 * 1024;

/** The end of a stream that nobody broke: the lane is ending. */
class StreamStopped extends Error {
  override readonly name = 'StreamStopped';
}

/** What became of a body on its way. */
type Passage =
  | { readonly kind: 'answered'; readonly stored: Stored; readonly digest: Buffer }
  /** Not all of it came, or was sent: the target has not stored it, and its connection is closed. */
  | { readonly kind: 'broken'; readonly error: unknown };

/** One message that is never in memory as a whole: from the source's literal into the target's, hashed on the way. */
export class StreamedAppend {
  readonly #reader: ReadableFolder;
  readonly #writer: WritableFolder;
  readonly #port: CopyPort;
  readonly #batch: Batch;
  readonly #message: Message;
  #opening: Promise<OpenBody | NoMessage>;
  #kept: Buffer[] = [];
  #resolveRead = () => {};
  /** Resolves when the source is free for the next one. */
  readonly read = new Promise<void>((resolve) => {
    this.#resolveRead = resolve;
  });
  /** True: the connection was lost after the server may have stored it. */
  inDoubt = false;

  /** Asks for the body of `message`, the only one of `batch`. */
  constructor(reader: ReadableFolder, writer: WritableFolder, port: CopyPort, batch: Batch, message: Message) {
    this.#reader = reader;
    this.#writer = writer;
    this.#port = port;
    this.#batch = batch;
    this.#message = message;
    this.#opening = reader.openBody(message.uid);
    // It may go wrong before it is its turn.
    this.#opening.catch(() => {});
  }

  /** Nothing will be sent. */
  giveUp(): void {
    this.#batch.leave(0);
    this.#opening.then(
      (body) => body.kind === 'body' && body.drop(),
      () => {},
    );
    this.#resolveRead();
  }

  /**
   * Sends it; the words of a refusal that is about more than this message are answered. Nothing else may be unanswered at
   * the target: whatever breaks the source's stream ends the target's connection.
   * @throws what ends the folder or a connection
   */
  async append(attempt: number): Promise<RefusedWords | null> {
    try {
      const body = await this.#opening.catch((error: unknown) => {
        this.#batch.leave(0);
        throw this.#port.sourceError(error);
      });
      if (body.kind === 'body') return await this.#send(body, attempt);
      this.#batch.miss(0, body);
      return null;
    } finally {
      this.#resolveRead();
    }
  }

  async #send(body: OpenBody, attempt: number): Promise<RefusedWords | null> {
    const passage = await this.#pass(body);
    if (passage.kind === 'broken') {
      this.#batch.leave(0);
      if (passage.error instanceof StreamStopped) return null;
      throw this.#port.sourceError(passage.error);
    }
    const { stored, digest } = passage;
    switch (stored.kind) {
      case 'stored':
        this.#batch.learn(0, body.size, digest);
        this.#batch.store(0, stored.uid, attempt);
        return null;
      case 'refused':
        return stored;
      case 'unsent':
        this.#batch.leave(0);
        return null;
      case 'unknown':
        this.inDoubt = !(stored.error instanceof ImapError) || stored.error.outcomeUnknown;
        throw stored.error;
      default:
        return stored satisfies never;
    }
  }

  async #pass(body: OpenBody): Promise<Passage> {
    const hash = new BodyHash();
    let left = body.size;
    let broken: { readonly error: unknown } | null = null;
    const { isDraining } = this.#port;
    const keep = (slice: Buffer) => {
      if (body.size - left < keptBytes) this.#kept.push(slice);
    };
    const resolveRead = () => this.#resolveRead();
    async function* slices(): AsyncGenerator<Buffer, void, void> {
      try {
        for await (const slice of body.slices) {
          if (left > finishedBytes && isDraining()) throw new StreamStopped();
          hash.add(slice);
          keep(slice);
          left -= slice.length;
          if (left === 0) resolveRead();
          yield slice;
        }
      } catch (error) {
        broken = { error };
        throw error;
      }
    }
    const stored = await this.#writer.appendStream(this.#message, { size: body.size, slices: slices() });
    body.drop();
    return broken === null || left === 0
      ? { kind: 'answered', stored, digest: hash.digest() }
      : { kind: 'broken', ...(broken as { readonly error: unknown }) };
  }

  /** The same once more, from the beginning. */
  again(): void {
    this.#kept = [];
    this.#opening = this.#reader.openBody(this.#message.uid);
  }

  /** The target does not take this message. */
  async refuse({ code, responseCode, text }: RefusedWords): Promise<void> {
    const size = this.#kept.reduce((sum, slice) => sum + slice.length, 0);
    const subject = size === 0 ? null : await subjectOf({ size, chunks: this.#kept });
    this.#batch.refuse(0, { code: responseCode ?? code, text, subject });
  }
}
