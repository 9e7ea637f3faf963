/** Which mail is copied over which line, and where to. */
import type { MailName } from './mail.ts';

/** From account to account, from an account to trees of files, or from such trees to an account. */
export type PeerWork = 'copy' | 'backup' | 'restore';

export interface PeerCell {
  /** `small,rtt0`, `large,rtt0,tls`, `large,rtt0,backup`. */
  readonly name: string;
  readonly work: PeerWork;
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
  cell('small', 0, { work: 'backup' }),
  cell('small', 20, { work: 'backup' }),
  cell('large', 0, { work: 'backup' }),
  cell('large', 0, { work: 'restore' }),
];

interface CellTraits {
  readonly tls?: boolean;
  readonly onRequest?: boolean;
  readonly work?: PeerWork;
}

function cell(mail: MailName, rttMs: PeerCell['rttMs'], traits: CellTraits = {}): PeerCell {
  const { tls = false, onRequest = false, work = 'copy' } = traits;
  const name = [mail, `rtt${rttMs}`, ...(tls ? ['tls'] : []), ...(work === 'copy' ? [] : [work])].join(',');
  return { name, work, mail, rttMs, tls, onRequest };
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
