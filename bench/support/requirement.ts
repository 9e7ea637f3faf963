/** What the product has to reach, checked against what was measured in the same run. */
import { treeFormats } from '../../src/archive/store.ts';
import type { Entry } from './cell.ts';
import type { MeasuredRun } from './measured-run.ts';
import { spreadOf } from './spread.ts';
import { backupName, fsyncPolicies } from './tree-contender.ts';

/** Entries by the name of their cell. */
export type Measured = ReadonlyMap<string, readonly Entry[]>;

export interface RequirementRow {
  readonly what: string;
  readonly measured: string;
  readonly limit: string;
  /** How many times the limit; 1 or less holds. */
  readonly share: number;
}

type Value = (runs: readonly MeasuredRun[]) => number;

interface Requirement {
  readonly what: string;
  readonly cell: string;
  /** Whose entry it is; the product's where nothing is said. */
  readonly of?: string;
  /** Of the second run, with nothing to do. */
  readonly again?: boolean;
  readonly value: Value;
  readonly unit: 's' | 'MB' | 'RTT';
  /** A number of units, or so many times what another took. */
  readonly limit: number | { readonly times: number; readonly of: string };
}

const wall: Value = (runs) => spreadOf(runs.map(({ wallSeconds }) => wallSeconds)).median;
const cpu: Value = (runs) => spreadOf(runs.map(({ cpuSeconds }) => cpuSeconds ?? Number.NaN)).median;
/** The highest of all runs. */
const megabytes: Value = (runs) => spreadOf(runs.map(({ peakRssBytes }) => (peakRssBytes ?? Number.NaN) / 1e6)).max;
const roundTripsOf80Ms: Value = (runs) => wall(runs) / 0.08;

const seconds = { value: wall, unit: 's' } as const;
const memory = { value: megabytes, unit: 'MB', limit: 160 } as const;

/** With the same policy, whatever the format. */
const backups: readonly Requirement[] = ['small,rtt0', 'small,rtt20', 'large,rtt0'].flatMap((line) =>
  treeFormats.flatMap((format) =>
    fsyncPolicies.map((fsync) => ({
      what: `backup to ${format}, ${fsync}, ${line.toUpperCase().replace(',RTT', ', RTT ')}`,
      cell: `${line},backup`,
      of: backupName('imap-migrate', format, fsync),
      ...seconds,
      limit: { times: 1, of: backupName('mbsync', 'maildir', fsync) },
    })),
  ),
);

const backupsAgain: readonly Requirement[] = treeFormats.flatMap((format) => {
  const ofLarge = { cell: 'large,rtt0,backup', of: backupName('imap-migrate', format, 'fsync') };
  return [
    { what: `backup to ${format}, LARGE, nothing to do`, ...ofLarge, again: true, ...seconds, limit: 1 },
    { what: `backup to ${format}, LARGE, peak RSS`, ...ofLarge, ...memory },
  ];
});

const requirements: readonly Requirement[] = [
  { what: 'LARGE, RTT 0', cell: 'large,rtt0', ...seconds, limit: { times: 1, of: 'Node floor' } },
  { what: 'LARGE, CPU of the client', cell: 'large,rtt0', value: cpu, unit: 's', limit: 1.1 },
  { what: 'SMALL, RTT 0', cell: 'small,rtt0', ...seconds, limit: { times: 1, of: 'mbsync' } },
  { what: 'SMALL, RTT 20 ms', cell: 'small,rtt20', ...seconds, limit: { times: 2, of: 'C floor' } },
  { what: 'SMALL, RTT 80 ms', cell: 'small,rtt80', ...seconds, limit: { times: 1.6, of: 'C floor' } },
  { what: 'SMALL, RTT 80 ms, in all', cell: 'small,rtt80', value: roundTripsOf80Ms, unit: 'RTT', limit: 13 },
  { what: 'BULK, RTT 0', cell: 'bulk,rtt0', ...seconds, limit: { times: 1.3, of: 'Node floor' } },
  { what: 'nothing to do, RTT 0', cell: 'small,rtt0', again: true, ...seconds, limit: 0.5 },
  { what: 'nothing to do, RTT 80 ms', cell: 'small,rtt80', again: true, ...seconds, limit: 8 * 0.08 + 0.4 },
  { what: 'LARGE, peak RSS', cell: 'large,rtt0', ...memory },
  { what: 'BULK, peak RSS', cell: 'bulk,rtt0', ...memory },
  { what: 'LARGE over TLS, RTT 0', cell: 'large,rtt0,tls', ...seconds, limit: { times: 1.1, of: 'Node floor' } },
  ...backups,
  ...backupsAgain,
];

/** Those whose cells were measured, of the product called `product`. */
export function checkRequirements(measured: Measured, product: string): RequirementRow[] {
  return requirements.flatMap(({ what, cell, of = product, again = false, value, unit, limit }) => {
    const entries = measured.get(cell) ?? [];
    const runsOf = (name: string) => entries.find((entry) => entry.name === name);
    const runs = again ? runsOf(of)?.again : runsOf(of)?.runs;
    if (runs === undefined || runs.length === 0) return [];
    const show = (number: number) =>
      Number.isNaN(number) ? 'not measured' : `${number.toFixed(unit === 'MB' ? 0 : 2)} ${unit}`;
    const own = value(runs);
    if (typeof limit === 'number') return [{ what, measured: show(own), limit: show(limit), share: own / limit }];
    const other = value(runsOf(limit.of)?.runs ?? []);
    const allowed = limit.times * other;
    const times = limit.times === 1 ? limit.of : `${limit.times} × ${limit.of}`;
    return [{ what, measured: show(own), limit: `${times} = ${show(allowed)}`, share: own / allowed }];
  });
}
