/** The accounts that are copied. The same account has the same bytes everywhere. */
import { internalDate, ordinaryMessage, Random } from '../../test/support/corpus-messages.ts';
import { quote, type RawAppend, RawImap } from '../../test/support/imap-raw.ts';
import type { AccountAccess } from '../../test/support/servers/instance.ts';

/** Sizes are log-normal: `exp(sigma * gauss)` times the median, within the limits. */
export interface MailSpec {
  readonly seed: number;
  readonly messages: number;
  readonly medianBytes: number;
  readonly sigma: number;
  readonly minBytes: number;
  readonly maxBytes: number;
}

const kilobyte = 1024;
const megabyte = 1024 * kilobyte;
const usual = { medianBytes: 8 * kilobyte, minBytes: 512, maxBytes: 25 * megabyte };

export const mails = {
  small: { ...usual, seed: 21, messages: 2000, sigma: 1.66 },
  large: { ...usual, seed: 5, messages: 20_000, sigma: 1.163 },
  bulk: { ...usual, seed: 2, messages: 300, sigma: 0.76, medianBytes: 3 * megabyte },
} as const satisfies Record<string, MailSpec>;

export type MailName = keyof typeof mails;

/** Names every peer can carry, and how the messages are spread over them. */
const folders: readonly { readonly name: string; readonly percent: number }[] = [
  { name: 'INBOX', percent: 30 },
  { name: 'Archive', percent: 8 },
  { name: 'Archive/2021', percent: 9 },
  { name: 'Archive/2022', percent: 9 },
  { name: 'Archive/2023', percent: 8 },
  { name: 'Drafts', percent: 1 },
  { name: 'Invoices', percent: 6 },
  { name: 'Lists', percent: 3 },
  { name: 'Lists/announce', percent: 6 },
  { name: 'Lists/users', percent: 7 },
  { name: 'Notes', percent: 1 },
  { name: 'Sent', percent: 10 },
  { name: 'Trash', percent: 2 },
];

/** What the account comes to, roughly. */
export function nominalBytes({ messages, medianBytes, sigma }: MailSpec): number {
  return messages * medianBytes * Math.exp(sigma ** 2 / 2);
}

const systemFlags = ['\\Seen', '\\Answered', '\\Flagged', '\\Draft'] as const;
/** Generated and sent at a time: a big account is never in memory as a whole. */
const batchMessages = 50;

export interface LoadedMail {
  readonly folders: number;
  readonly messages: number;
  readonly bytes: number;
}

/** Fills an empty account. */
export async function loadMail(access: AccountAccess, spec: MailSpec): Promise<LoadedMail> {
  const random = new Random(spec.seed);
  await using client = await RawImap.open(access);
  let made = 0;
  let bytes = 0;
  for (const { name, percent } of folders) {
    if (name !== 'INBOX') await client.command(`CREATE ${quote(name)}`);
    const end = made + Math.round((spec.messages * percent) / 100);
    while (made < end) {
      const batch: RawAppend[] = [];
      for (; made < end && batch.length < batchMessages; made++) batch.push(makeMessage(random, spec, made));
      bytes += batch.reduce((sum, { body }) => sum + body.length, 0);
      await client.append(name, batch);
    }
  }
  return { folders: folders.length, messages: made, bytes };
}

function makeMessage(random: Random, { medianBytes, sigma, minBytes, maxBytes }: MailSpec, index: number): RawAppend {
  const size = Math.min(maxBytes, Math.max(minBytes, Math.round(random.logNormal(medianBytes, sigma))));
  return {
    body: ordinaryMessage(random, `message-${index}`, size),
    flags: systemFlags.filter((flag) => random.next() < (flag === '\\Seen' ? 0.7 : 0.1)),
    internalDate: internalDate(random),
  };
}
