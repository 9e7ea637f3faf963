import { BodyStream } from './body-stream.ts';
import type { FetchReceiver, LiteralReceiver } from './command.ts';
import type { FetchData } from './fetch-data.ts';
import { type FetchedMessage, toMessageFields } from './fetched-message.ts';
import type { Literal } from './types.ts';

/**
 * A message as `fetchStream` hands it out: like `FetchedMessage`, but with bodies as slices. A body above
 * `limits.streamLiteralBytes` is handed out while it arrives; what the server sends behind it is there once it was read.
 */
export interface StreamedMessage extends Omit<FetchedMessage, 'body' | 'sections'> {
  readonly body?: BodyStream | null;
  readonly sections?: ReadonlyMap<string, BodyStream | null>;
}

/** What a message stream needs of its client. */
export interface StreamHost {
  /** Runs FETCH, handing what it brings to `receiver`; resolves with its OK. */
  fetch(receiver: FetchReceiver): Promise<void>;
  pause(): void;
  resume(): void;
}

/** Bytes that wait to be read before the server has to: enough to keep a line busy. */
const waitingBytes = 4 * 1024 * 1024;
/** What a message without a body counts. */
const messageBytes = 512;

type MutableMessage = Omit<StreamedMessage, 'body' | 'sections'> & {
  body?: BodyStream | null;
  sections?: Map<string, BodyStream | null>;
};

interface Arriving {
  readonly seq: number;
  /** What its body is called: `BODY[]`, `BODY[1]<0>`. */
  readonly item: string;
  readonly message: MutableMessage;
  readonly body: BodyStream;
}

/** The answer to a FETCH, message by message, read no faster than it is used. Leaving the loop drops the rest. */
export class MessageStream implements AsyncIterableIterator<StreamedMessage> {
  readonly #host: StreamHost;
  readonly #messages: StreamedMessage[] = [];
  /** The message handed out last: when the next one is asked for, nobody reads its bodies any more. */
  #current: StreamedMessage | null = null;
  /** The one whose body is arriving. */
  #arriving: Arriving | null = null;
  #waiting = 0;
  #paused = false;
  /** Another command waits behind this one: it must not wait for our reader. */
  #unbounded = false;
  #discarded = false;
  #end: { readonly error: Error | null } | null = null;
  #wake: () => void = () => {};

  constructor(host: StreamHost) {
    this.#host = host;
    const receiver: FetchReceiver = {
      onData: (data) => this.#onData(data),
      onLiteral: (data, item, size) => this.#onLiteral(data, item, size),
      onAwaited: () => this.#onAwaited(),
    };
    host.fetch(receiver).then(
      () => this.#finish(null),
      (error: Error) => this.#finish(error),
    );
  }

  /** The next message. @throws what `fetch` rejects with */
  async next(): Promise<IteratorResult<StreamedMessage, undefined>> {
    discardBodies(this.#current);
    while (this.#messages.length === 0 && this.#end === null) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const message = this.#messages.shift();
    this.#current = message ?? null;
    if (message !== undefined) {
      this.#taken(messageBytes);
      return { done: false, value: message };
    }
    const error = this.#end?.error ?? null;
    if (error !== null) throw error;
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<StreamedMessage, undefined>> {
    this.#discarded = true;
    discardBodies(this.#current);
    for (const message of this.#messages.splice(0)) {
      discardBodies(message);
      this.#taken(messageBytes);
    }
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** A message that is all there. */
  #onData(data: FetchData): void {
    const arriving = this.#arriving;
    if (arriving !== null && arriving.seq === data.seq) {
      this.#arriving = null;
      this.#complete(arriving, data);
      arriving.body.end();
      return;
    }
    if (this.#discarded) return;
    this.#add(this.#toMessage(data));
  }

  /** Adds what stood behind the big body. That body itself has gone to its stream: what is told of it here is empty. */
  #complete({ message, item }: Arriving, data: FetchData): void {
    const { body, sections, ...others } = data;
    Object.assign(message, toMessageFields(others));
    if (body !== undefined && message.body === undefined) message.body = body && this.#toStream(body);
    for (const [name, literal] of sections ?? []) {
      if (name === item) continue;
      message.sections ??= new Map();
      if (!message.sections.has(name)) message.sections.set(name, literal && this.#toStream(literal));
    }
  }

  /** A message whose big literal begins. */
  #onLiteral(data: FetchData, item: string, size: number): LiteralReceiver {
    const body = new BodyStream(size, (bytes) => this.#taken(bytes));
    const message = this.#toMessage(data);
    if (item === 'BODY[]' || item === 'RFC822') {
      message.body = body;
    } else {
      message.sections ??= new Map();
      message.sections.set(item, body);
    }
    this.#arriving = { seq: data.seq, item, message, body };
    if (this.#discarded) body.discard();
    else this.#add(message);
    return {
      write: (slice) => {
        this.#took(slice.length);
        body.push(slice);
      },
      // The items behind it are still to come.
      end: () => {},
    };
  }

  /** Somebody else waits for the line. */
  #onAwaited(): void {
    this.#unbounded = true;
    this.#flow();
  }

  #toMessage(data: FetchData): MutableMessage {
    const { body, sections } = data;
    const message: MutableMessage = toMessageFields(data);
    if (body !== undefined) message.body = body && this.#toStream(body);
    if (sections !== undefined) {
      message.sections = new Map(Array.from(sections, ([key, literal]) => [key, literal && this.#toStream(literal)]));
    }
    return message;
  }

  #toStream(literal: Literal): BodyStream {
    for (const chunk of literal.chunks) this.#took(chunk.length);
    return BodyStream.of(literal, (bytes) => this.#taken(bytes));
  }

  #add(message: StreamedMessage): void {
    this.#messages.push(message);
    this.#took(messageBytes);
    this.#wake();
  }

  #took(bytes: number): void {
    this.#waiting += bytes;
    this.#flow();
  }

  #taken(bytes: number): void {
    this.#waiting -= bytes;
    this.#flow();
  }

  #flow(): void {
    const full = this.#waiting > waitingBytes && !this.#unbounded && !this.#discarded && this.#end === null;
    if (full === this.#paused) return;
    this.#paused = full;
    if (full) this.#host.pause();
    else this.#host.resume();
  }

  #finish(error: Error | null): void {
    this.#end = { error };
    if (error !== null) this.#arriving?.body.fail(error);
    this.#flow();
    this.#wake();
  }
}

function discardBodies(message: StreamedMessage | null): void {
  message?.body?.discard();
  for (const section of message?.sections?.values() ?? []) section?.discard();
}
