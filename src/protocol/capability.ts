import type { Capabilities } from './commands/session.ts';

/**
 * What one capability stands for besides itself. RFC 9051 appendix E lists what became part of IMAP4rev2. Of BINARY only
 * the reading half did, so it is left out: its name promises APPEND, too. Of SPECIAL-USE the attributes did.
 */
const implied: Readonly<Record<string, readonly string[]>> = {
  IMAP4REV2: [
    'CHILDREN',
    'ENABLE',
    'ESEARCH',
    'IDLE',
    'LIST-EXTENDED',
    'LIST-STATUS',
    'LITERAL-',
    'MOVE',
    'NAMESPACE',
    'SASL-IR',
    'SEARCHRES',
    'SPECIAL-USE',
    'STATUS=SIZE',
    'UIDPLUS',
    'UNSELECT',
  ],
  // RFC 7162 3.2: who resynchronises quickly also has mod-sequences and ENABLE.
  QRESYNC: ['CONDSTORE', 'ENABLE'],
  CONDSTORE: ['ENABLE'],
};

/** True when the server offers `name` (any case) by that name or as part of something else it offers. */
export function offers(capabilities: Capabilities, name: string): boolean {
  const wanted = name.toUpperCase();
  if (capabilities.has(wanted)) return true;
  if (wanted === 'APPENDLIMIT') return appendLimitOf(capabilities) !== undefined;
  return Object.entries(implied).some(([whole, parts]) => capabilities.has(whole) && parts.includes(wanted));
}

/**
 * RFC 7889: the largest message APPEND takes anywhere, in bytes; null when each folder has a limit of its own, which
 * STATUS tells; undefined when the server says nothing of limits.
 */
export function appendLimitOf(capabilities: Capabilities): number | null | undefined {
  for (const capability of capabilities) {
    const [name, value] = capability.split('=', 2);
    if (name !== 'APPENDLIMIT') continue;
    return value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : null;
  }
  return undefined;
}
