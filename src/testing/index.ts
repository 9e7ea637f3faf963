/**
 * `imap-migrate/testing`: servers for tests of code that speaks IMAP, without a network. A *scripted* server plays a
 * transcript and checks the client's words byte by byte. The *sandbox* is a small, complete IMAP server in memory, with
 * accounts to fill, features to switch off and faults to arm. `docs/testing.md` shows both.
 */
export * from '../sandbox/index.ts';
export { ManualClock, turns } from './manual-clock.ts';
export { listenScripted, type ScriptedListener, type ScriptedListenOptions } from './scripted-listener.ts';
export { ScriptedServer, type ScriptOptions } from './scripted-server.ts';
export { openScripted, type ScriptedSession, type SessionOptions, scriptedPair } from './scripted-session.ts';
export { parseTranscript, TranscriptError, type TranscriptStep } from './transcript.ts';
