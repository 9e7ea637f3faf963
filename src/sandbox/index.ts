/** The sandbox: a small, real IMAP server in memory. */
export {
  type AccountOptions,
  type AccountQuota,
  type CreateOptions,
  type MailboxSnapshot,
  type MessageSnapshot,
  SandboxAccount,
  snapshotAccount,
} from './account.ts';
export type { Answer } from './answer.ts';
export type { SessionHost } from './channel.ts';
export { fillDemoAccount } from './demo-account.ts';
export {
  ArmedFault,
  type ByteTrigger,
  type CommandTrigger,
  type FaultAction,
  type FaultPoint,
  type FaultRecord,
  type FaultTrigger,
  SandboxFaults,
} from './faults.ts';
export { allFeatures, type Feature } from './features.ts';
export { type ListenOptions, listenSandbox, type SandboxListener } from './listener.ts';
export { type MessageQuirk, type NewMessage, SandboxMailbox, type StoredMessage } from './mailbox.ts';
export { connectSandbox, type MemoryWireOptions } from './memory-wire.ts';
export type { IncomingMessage, SandboxOptions } from './options.ts';
export { Random, randomSplitter } from './random.ts';
export { type CommandRecord, SandboxServer } from './server.ts';
export { SandboxSession } from './session.ts';
