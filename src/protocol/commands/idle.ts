import type { Command } from '../command.ts';

export interface IdleHandlers {
  /** The server said that it listens: from now on DONE may be said. */
  onStarted(): void;
  /** Somebody else wants the line. */
  onAwaited(): void;
}

/** IDLE (RFC 2177). It is answered once DONE has been said. */
export function idleCommand({ onStarted, onAwaited }: IdleHandlers): Command<void> {
  return {
    name: 'IDLE',
    pipelining: 'barrier',
    changesState: false,
    write: (out) => void out.raw('IDLE'),
    proceed() {
      onStarted();
      return null;
    },
    giveWay: onAwaited,
    finish: () => {},
  };
}
