/** Which mail is copied over which line. */
import type { MailName } from './mail.ts';

export interface PeerCell {
  /** `small,rtt0`, `large,rtt0,tls`. */
  readonly name: string;
  readonly mail: MailName;
  readonly rttMs: 0 | 20 | 80;
  readonly tls: boolean;
  /** Not part of a run of everything. */
  readonly onRequest: boolean;
}

const cells: readonly PeerCell[] = [
  cell('small', 0),
  cell('small', 20),
  cell('small', 80),
  cell('large', 0),
  cell('large', 0, { tls: true }),
  cell('large', 20, { onRequest: true }),
  cell('large', 80, { onRequest: true }),
  cell('bulk', 0),
  cell('bulk', 80, { onRequest: true }),
];

function cell(mail: MailName, rttMs: PeerCell['rttMs'], { tls = false, onRequest = false } = {}): PeerCell {
  return { name: `${mail},rtt${rttMs}${tls ? ',tls' : ''}`, mail, rttMs, tls, onRequest };
}

/**
 * The cells whose names hold every word of `only`; without words those of a run of everything.
 * @throws Error where there is none
 */
export function chooseCells(only: readonly string[]): PeerCell[] {
  const chosen = cells.filter(({ name, onRequest }) =>
    only.length === 0 ? !onRequest : only.every((word) => name.split(',').includes(word)),
  );
  if (chosen.length === 0) {
    throw new Error(`no cell is called ${only.join(',')}; there are: ${cells.map(({ name }) => name).join('  ')}`);
  }
  return chosen;
}
