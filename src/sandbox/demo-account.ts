import type { SandboxAccount } from './account.ts';
import { DemoWriter } from './demo-message.ts';
import { type DemoFolder, folders, keywords } from './demo-text.ts';
import type { SandboxMailbox } from './mailbox.ts';
import { Random } from './random.ts';

/**
 * Fills an account as years of use would: nested and non-ASCII folders, an empty one, some four hundred messages of every
 * kind (plain, alternative, attachments, raw 8-bit, very long lines and subjects, exact twins, no Message-ID, no final line end),
 * flags, keywords, dates in many zones, gaps between the UIDs. A few megabytes. The same seed gives the same account.
 */
export function fillDemoAccount(account: SandboxAccount, options: { readonly seed?: number } = {}): void {
  const random = new Random(options.seed ?? 1);
  const writer = new DemoWriter(random);
  for (const folder of folders) fillFolder(openFolder(account, folder), folder, writer, random);
}

function openFolder(account: SandboxAccount, folder: DemoFolder): SandboxMailbox {
  const subscribed = folder.subscribed !== false;
  if (folder.path[0] === 'INBOX') {
    account.subscriptions.add('INBOX');
    return account.inbox;
  }
  const specialUse = folder.specialUse === undefined ? [] : [folder.specialUse];
  return account.createMailbox(folder.path, { specialUse, subscribed, noselect: folder.noselect ?? false });
}

function fillFolder(mailbox: SandboxMailbox, folder: DemoFolder, writer: DemoWriter, random: Random): void {
  const year = Number(folder.path.find((segment) => /^20\d\d$/.test(segment)) ?? 0);
  const firstMs = Date.UTC(year === 0 ? 2021 : year, 0, 3);
  const spanMs = (year === 0 ? 1500 : 350) * 86_400_000;
  for (let index = 0; index < folder.messages; index++) {
    const sentMs = firstMs + Math.floor(((index + random.next()) / folder.messages) * spanMs);
    const message = writer.write(sentMs, folder.language ?? 'english');
    const flags = pickFlags(folder, random);
    if (random.below(12) === 0) mailbox.skipUids(1 + random.below(40));
    mailbox.append({ ...message, flags });
    // Exact twins: the same bytes and date once more, as a retried delivery leaves them.
    if (random.below(40) === 0) mailbox.append({ ...message, flags });
  }
}

function pickFlags(folder: DemoFolder, random: Random): string[] {
  const flags: string[] = [];
  if (random.below(10) < 8) flags.push('\\Seen');
  if (random.below(6) === 0) flags.push('\\Answered');
  if (random.below(12) === 0) flags.push('\\Flagged');
  if (random.below(60) === 0) flags.push('\\Deleted');
  if (folder.specialUse === '\\Drafts') flags.push('\\Draft');
  if (random.below(5) === 0) flags.push(random.pick(keywords));
  return flags;
}
