/** What `floor.ts` is told, as JSON. */
import type { AccountAccess } from '../../test/support/servers/instance.ts';

export type FloorAccount = AccountAccess;

export interface FloorSettings {
  readonly source: FloorAccount;
  readonly target: FloorAccount;
  /** With a file both connections are TLS from the first byte. */
  readonly caFile: string | null;
  /** Pairs of connections. */
  readonly pairs: number;
  /** MULTIAPPENDs that may wait for their answers. */
  readonly unanswered: number;
}
