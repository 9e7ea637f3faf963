/** Real IMAP servers for tests, each in a folder and on ports of its own. */
export { startCourier } from './courier.ts';
export { type CyrusOptions, cyrusAdmin, startCyrus } from './cyrus.ts';
export { type DovecotOptions, startDovecot } from './dovecot.ts';
export { startImap4d } from './imap4d.ts';
export { type AccountAccess, accessTo, type ServerInstance } from './instance.ts';
export { type AvailableServers, prepareMbsync, prepareServers } from './packages.ts';
