/**
 * What `check` found out about an account, as people read it.
 */
import { toDisplay } from '../display.ts';
import type { AccountReport, NamespaceEntry } from '../job.ts';
import { formatBytes, formatCount, formatNoun, formatPercent } from './format.ts';
import type { Session } from './session.ts';
import { renderTable } from './table.ts';
import { displayWidth, padToWidth } from './width.ts';

const labelWidth = 14;
const defaultColumns = 100;

/** The report of `imap-migrate check` for one account. */
export function accountLines(session: Session, report: AccountReport): string[] {
  const style = session.reportStyle;
  const columns = session.reportColumns ?? defaultColumns;
  const field = (label: string, words: readonly string[]): string[] => wrapField(label, words, columns);
  const id = Object.entries(report.serverId ?? {}).map(([name, value]) => toDisplay(`${name}=${value}`));
  const lines = [
    style.bold(toDisplay(report.account)),
    ...field('Server', [toDisplay(report.server)]),
    ...field('Connection', [report.tls ? 'encrypted (TLS)' : 'NOT encrypted']),
    ...field('Login', [toDisplay(report.auth)]),
    ...(id.length === 0 ? [] : field('Server ID', id)),
    ...field('Capabilities', report.capabilities.map(toDisplay)),
    ...namespaceLines(report, field),
    ...report.quotas.flatMap((quota) => field('Quota', [describeQuota(quota)])),
    ...field('Folders', [folderSentence(report)]),
  ];
  if (report.folders.length > 0) lines.push('', ...folderTable(session, report));
  return lines;
}

type Field = (label: string, words: readonly string[]) => string[];

function namespaceLines(report: AccountReport, field: Field): string[] {
  if (report.namespaces === null) return field('Namespaces', ['not told by the server']);
  const { personal, other, shared } = report.namespaces;
  const describe = (kind: string, entries: readonly NamespaceEntry[]) =>
    entries.flatMap((entry) => {
      const delimiter = entry.delimiter === null ? 'flat names' : `delimiter ${entry.delimiter}`;
      return field('Namespace', [toDisplay(`${kind}: prefix "${entry.prefix}", ${delimiter}`)]);
    });
  return [...describe('own', personal), ...describe('other users', other), ...describe('shared', shared)];
}

function describeQuota(quota: AccountReport['quotas'][number]): string {
  const storage = quota.resource.toUpperCase() === 'STORAGE';
  // RFC 9208: STORAGE counts in units of 1024 octets.
  const amount = (value: number) => (storage ? formatBytes(value * 1024) : formatCount(value));
  const share = formatPercent(quota.usage, quota.limit);
  const root = quota.root === '' ? '' : ` (${quota.root})`;
  return toDisplay(`${quota.resource}${root}: ${amount(quota.usage)} of ${amount(quota.limit)} used, ${share}`);
}

function folderSentence(report: AccountReport): string {
  const known = report.folders.flatMap((folder) => (folder.status === null ? [] : [folder.status]));
  const messages = known.reduce((sum, status) => sum + status.messages, 0);
  const sizes = known.flatMap((status) => (status.size === null ? [] : [status.size]));
  const complete = known.length > 0 && sizes.length === known.length;
  const size = complete ? `, ${formatBytes(sizes.reduce((sum, each) => sum + each, 0))}` : '';
  return `${formatCount(report.folders.length)} with ${formatNoun(messages, 'message')}${size}`;
}

function folderTable(session: Session, report: AccountReport): string[] {
  return renderTable(
    [
      { title: 'Folder', shrinks: true },
      { title: 'Special use' },
      { title: 'Subscribed' },
      { title: 'Messages', align: 'right' },
      { title: 'Size', align: 'right' },
    ],
    report.folders.map((folder) => [
      toDisplay(folder.name),
      folder.specialUse === null ? '' : toDisplay(folder.specialUse),
      folder.subscribed ? 'yes' : 'no',
      folder.status === null ? (folder.selectable ? '?' : 'name only') : formatCount(folder.status.messages),
      folder.status === null ? '' : formatBytes(folder.status.size),
    ]),
    { style: session.reportStyle, maxWidth: session.reportColumns },
  );
}

/** `label` once, then as many words to a line as fit. */
function wrapField(label: string, words: readonly string[], columns: number): string[] {
  const lines: string[] = [];
  let line = padToWidth(`  ${label}`, labelWidth + 2);
  let empty = true;
  for (const word of words) {
    if (!empty && displayWidth(line) + 1 + displayWidth(word) > columns) {
      lines.push(line);
      line = ' '.repeat(labelWidth + 2);
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line];
}
