import { bad, ok } from './answer.ts';
import type { CommandTable } from './command.ts';
import { encodeDelimiter, encodeString } from './wire.ts';

/** Commands about the session itself: RFC 3501 6.1, RFC 2177 (IDLE), 2342 (NAMESPACE), 2971 (ID), 5161 (ENABLE). */
export const sessionCommands: CommandTable = {
  CAPABILITY: {
    state: 'any',
    run(session, args) {
      args.end();
      session.untagged(`CAPABILITY ${session.server.capabilities(session).join(' ')}`);
      return ok('Capability completed');
    },
  },
  NOOP: {
    state: 'any',
    run(_session, args) {
      args.end();
      return ok('Noop completed');
    },
  },
  CHECK: {
    state: 'selected',
    run(_session, args) {
      args.end();
      return ok('Check completed');
    },
  },
  LOGOUT: {
    state: 'any',
    run(session, args) {
      args.end();
      session.untagged('BYE Logging out');
      session.closeAfterAnswer();
      return ok('Logout completed');
    },
  },
  STARTTLS: {
    state: 'not-authenticated',
    requires: 'STARTTLS',
    run(session, args) {
      args.end();
      if (!session.canStartTls) throw bad('TLS is not available');
      session.startTlsAfterAnswer();
      return ok('Begin TLS negotiation now');
    },
  },
  ID: {
    state: 'any',
    requires: 'ID',
    run(session, args) {
      args.space();
      if (args.next === '(') {
        const fields = args.list(() => args.nstring());
        if (fields.length % 2 === 1) throw bad('ID fields come in pairs');
      } else {
        args.nstring();
      }
      args.end();
      session.untagged(`ID (${['name', 'imap-migrate sandbox'].map(encodeString).join(' ')})`);
      return ok('ID completed');
    },
  },
  ENABLE: {
    state: 'authenticated',
    requires: 'ENABLE',
    run(session, args) {
      const enabled: string[] = [];
      do {
        args.space();
        if (args.keyword() === 'CONDSTORE' && session.has('CONDSTORE') && !enabled.includes('CONDSTORE')) {
          session.condstoreAware = true;
          enabled.push('CONDSTORE');
        }
      } while (!args.atEnd);
      session.untagged(enabled.length === 0 ? 'ENABLED' : `ENABLED ${enabled.join(' ')}`);
      return ok('Enabled');
    },
  },
  NAMESPACE: {
    state: 'authenticated',
    requires: 'NAMESPACE',
    run(session, args) {
      args.end();
      const { personalPrefix, delimiter } = session.server;
      session.untagged(`NAMESPACE ((${encodeString(personalPrefix)} ${encodeDelimiter(delimiter)})) NIL NIL`);
      return ok('Namespace completed');
    },
  },
  IDLE: {
    state: 'authenticated',
    requires: 'IDLE',
    *run(_session, args) {
      args.end();
      const line: string = yield { kind: 'prompt', text: 'idling', idle: true };
      if (line.toUpperCase() !== 'DONE') throw bad('Expected DONE');
      return ok('Idle completed');
    },
  },
};
