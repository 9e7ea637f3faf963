/**
 * `imap-migrate/protocol`: an IMAP client that has never heard of migration. Bytes stay as the server sent them: bodies
 * are lists of the socket's own slices, dates and names are handed over unchanged beside their readings.
 *
 * Start with `ImapClient.connect`. Every error is an `ImapError` with a stable `code`.
 */

export type { BodyPart, Disposition, MultiPart, SinglePart } from './body-structure.ts';
export type { FetchEachOptions, FetchMapOptions, FetchOptions, StoreOptions, UidOptions } from './client.ts';
export { ImapClient } from './client.ts';
export { systemClock } from './clock.ts';
export type { Quota, QuotaRoots } from './commands/admin.ts';
export type { AppendMessage, AppendResult } from './commands/append.ts';
export type {
  FolderStatusItems,
  ListedFolder,
  ListOptions,
  NamespaceEntry,
  Namespaces,
  SelectedFolder,
  SelectOptions,
  StatusItem,
} from './commands/folder.ts';
export type { PartialRange } from './commands/message.ts';
export type { MessageSet } from './commands/message-set.ts';
export type { SearchArgument } from './commands/search.ts';
export type { Capabilities, IdFields } from './commands/session.ts';
export type { StoreResult } from './commands/store.ts';
export type { ConnectOptions } from './connect-options.ts';
export {
  dateToInternalDate,
  internalDateToDate,
  internalDateToEpochMs,
  internalDateZoneMinutes,
  parseMessageDate,
} from './datetime.ts';
export { type EncodedCommand, Encoder, type NonSyncLiterals } from './encoder.ts';
export { type Address, type AddressGroup, type AddressList, addressesOf, type Envelope } from './envelope.ts';
export * from './errors.ts';
export type { FetchData } from './fetch-data.ts';
export { type FetchedMessage, FetchedMessages, toBuffer } from './fetched-message.ts';
export { isFlag } from './flags.ts';
export { Framer } from './framer.ts';
export type { Greeting } from './greeting.ts';
export { decodeHeader } from './header-text.ts';
export { Lexer, type Value } from './lexer.ts';
export { defaultLimits, type Limits } from './limits.ts';
export type { MessageItems } from './message-items.ts';
export { parseResponse, type Response } from './response.ts';
export type { CopyUid } from './response-code.ts';
export type { SaslResponder } from './sasl.ts';
export {
  encodeSequenceSet,
  expandSequenceSet,
  parseSequenceSet,
  splitSequenceSet,
} from './sequence-set.ts';
export type { TraceLine } from './trace.ts';
export {
  createMemoryPair,
  type MemoryPairOptions,
  type MemoryTransport,
  type TlsMode,
  type TlsOptions,
} from './transport.ts';
export type * from './types.ts';
export type { Unsolicited } from './unsolicited.ts';
export { decodeFolderName, encodeFolderName } from './utf7.ts';
