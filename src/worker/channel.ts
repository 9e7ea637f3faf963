import type { MessagePort } from 'node:worker_threads';
import type { Channel } from './contract.ts';

/** A channel over a MessagePort: one end of a pair, on whichever thread. */
export class PortChannel<Out, In> implements Channel<Out, In> {
  readonly #port: MessagePort;

  constructor(port: MessagePort) {
    this.#port = port;
  }

  post(message: Out, handedOver: readonly ArrayBuffer[] = []): void {
    this.#port.postMessage(message, handedOver);
  }

  onMessage(handler: (message: In) => void): void {
    this.#port.on('message', handler);
  }

  close(): void {
    this.#port.close();
  }
}
