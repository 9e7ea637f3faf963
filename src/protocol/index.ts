/**
 * `imap-migrate/protocol`: an IMAP client that has never heard of migration. Bytes stay as the server sent them: bodies
 * are lists of the socket's own slices, dates and names are handed over unchanged beside their readings.
 *
 * Start with `ImapClient.connect`. Every error is an `ImapError` with a stable `code`.
 */

export { BodyStream } from './body-stream.ts';
export type { BodyPart, Disposition, MultiPart, SinglePart } from './body-structure.ts';
export type {
  FetchEachOptions,
  FetchMapOptions,
  FetchOptions,
  SearchOptions,
  SelectFolderOptions,
  StoreOptions,
  UidOptions,
} from './client.ts';
export { ImapClient } from './client.ts';
export { systemClock } from './clock.ts';
export type { LiteralReceiver } from './command.ts';
export type { AclEntry, RightsChoice } from './commands/acl.ts';
export type { AppendMessage, AppendResult, SizedStream } from './commands/append.ts';
export type { ExtendedSearchResult, ReturnOptions } from './commands/extended-search.ts';
export type { CreatedFolder } from './commands/folder.ts';
export { type Atom, atom, type CommandArgument, type CommandResponse, type CommandResult } from './commands/generic.ts';
export type { ListedFolder, ListOptions } from './commands/list.ts';
export type { PartialRange } from './commands/message.ts';
export type { MessageSet } from './commands/message-set.ts';
export type { Annotation, MetadataOptions, MetadataResult } from './commands/metadata.ts';
export type { NamespaceEntry, Namespaces } from './commands/namespace.ts';
export type { NotifyEvent, NotifyFolders, NotifyGroup } from './commands/notify.ts';
export type { Quota, QuotaRoots } from './commands/quota.ts';
export type { SearchHits } from './commands/search.ts';
export type { SearchArgument } from './commands/search-criteria.ts';
export type { QresyncOptions, Resync, SelectedFolder, SelectOptions } from './commands/select.ts';
export type { Capabilities, IdFields } from './commands/session.ts';
export type { FolderStatusItems, StatusItem } from './commands/status.ts';
export type { StoreResult } from './commands/store.ts';
export type { Thread } from './commands/thread.ts';
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
export { keywords, systemFlags } from './flag-names.ts';
export { isFlag } from './flags.ts';
export { Framer } from './framer.ts';
export type { Greeting } from './greeting.ts';
export { decodeHeader } from './header-text.ts';
export type { Idle, IdleOptions } from './idle.ts';
export { Lexer, type Value } from './lexer.ts';
export { defaultLimits, type Limits } from './limits.ts';
export type { MessageItems } from './message-items.ts';
export type { MessageStream, StreamedMessage } from './message-stream.ts';
export type { ClientEvents } from './news-listeners.ts';
export { parseFlags } from './parse-flags.ts';
export { parseResponse, type Response } from './response.ts';
export type { CopyUid } from './response-code.ts';
export type { SaslCallable, SaslResponder } from './sasl.ts';
export {
  encodeSequenceSet,
  expandSequenceSet,
  parseSequenceSet,
  splitSequenceSet,
} from './sequence-set.ts';
export { specialUses } from './special-use.ts';
export { formatTraceLine, type TraceLine } from './trace.ts';
export {
  createMemoryPair,
  type MemoryPairOptions,
  type MemoryTransport,
  type Pace,
  type TlsMode,
  type TlsOptions,
} from './transport.ts';
export type * from './types.ts';
export type { Unsolicited } from './unsolicited.ts';
export { decodeFolderName, encodeFolderName } from './utf7.ts';
