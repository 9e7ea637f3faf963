/**
 * The library: what the command does, as functions. The IMAP client alone is `imap-migrate/protocol`.
 */
export { type AccountSettings, type AuthMethod, accountLabel, type TlsSettings } from './account.ts';
export { checkAccount } from './check.ts';
export { loadAccount } from './config.ts';
export { type JobHooks, migrate } from './coordinator.ts';
export { ConfigError, type ExitCode, exitCodes, MigrateError } from './errors.ts';
export type * from './job.ts';
export { type OpenedAccount, openAccount } from './open-account.ts';
export type * from './plan/types.ts';
export { verify } from './verify.ts';
