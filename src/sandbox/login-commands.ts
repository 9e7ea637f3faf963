import { type Answer, bad, no, Refusal } from './answer.ts';
import type { CommandRun, CommandTable } from './command.ts';
import { checkPassword, type SaslOutcome, saslMechanisms } from './sasl-server.ts';
import type { SandboxSession } from './session.ts';

/** LOGIN, AUTHENTICATE, PROXYAUTH. */
export const loginCommands: CommandTable = {
  LOGIN: {
    state: 'not-authenticated',
    requires: 'LOGIN',
    secret: true,
    run(session, args) {
      args.space();
      const user = decode(args.astring());
      args.space();
      const password = decode(args.astring());
      args.end();
      if (session.loginDisabled)
        throw no('Plaintext authentication disallowed on non-secure connections.', 'PRIVACYREQUIRED');
      return admit(session, checkPassword(session.server, user, password));
    },
  },
  AUTHENTICATE: {
    state: 'not-authenticated',
    secret: true,
    run(session, args) {
      args.space();
      const name = args.keyword();
      let initial: Buffer | null = null;
      if (args.accept(' ')) {
        if (!session.has('SASL-IR')) throw bad('Initial responses are not supported');
        initial = decodeBase64(args.run(/[A-Za-z0-9+/=]+/y, 'base64'));
      }
      args.end();
      const mechanism = saslMechanisms.get(name);
      if (mechanism === undefined || !session.has(mechanism.feature))
        throw no(`Unsupported authentication mechanism ${name}`);
      if (session.loginDisabled)
        throw no('Plaintext authentication disallowed on non-secure connections.', 'PRIVACYREQUIRED');
      const nonce = `${session.number}.${session.loginFailures}.${session.server.now()}`;
      return authenticate(session, mechanism.start({ server: session.server, initial, nonce }));
    },
  },
  PROXYAUTH: {
    state: 'authenticated',
    requires: 'PROXYAUTH',
    run(session, args) {
      args.space();
      const user = decode(args.astring());
      args.end();
      const other = session.server.accounts.get(user);
      if (!session.requireAccount().admin || other === undefined) throw no('Permission denied', 'NOPERM');
      session.enter(other);
      return { status: 'OK', text: 'Proxyauth completed' };
    },
  },
};

function* authenticate(session: SandboxSession, exchange: Generator<Buffer, SaslOutcome, Buffer>): CommandRun {
  let step = exchange.next();
  while (step.done !== true) {
    const line: string = yield { kind: 'prompt', text: step.value.toString('base64') };
    if (line === '*') throw bad('Authentication cancelled');
    step = exchange.next(decodeBase64(line));
  }
  return admit(session, step.value);
}

function admit(session: SandboxSession, outcome: SaslOutcome): Answer {
  if (outcome !== null) return session.login(outcome.account);
  session.loginFailures += 1;
  const { maxLoginFailures } = session.server.options;
  if (maxLoginFailures !== undefined && session.loginFailures >= maxLoginFailures)
    session.channel.bye('Too many login failures');
  throw no('Authentication failed.', 'AUTHENTICATIONFAILED');
}

/** Strictly canonical base64; `=` alone is the empty initial response (RFC 4959). @throws BAD */
function decodeBase64(text: string): Buffer {
  if (text === '=' || text === '') return Buffer.alloc(0);
  const decoded = Buffer.from(text, 'base64');
  if (decoded.toString('base64') !== text) throw new Refusal({ status: 'BAD', text: 'Invalid base64 data' });
  return decoded;
}

/** User names and passwords are UTF-8. */
function decode(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8');
}
