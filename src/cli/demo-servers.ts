/**
 * The two mail servers of the demo: in this process, on loopback, with an account each.
 */
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AccountSettings } from '../account.ts';
import { fillDemoAccount, listenSandbox, type SandboxListener, SandboxServer } from '../sandbox/index.ts';
import type { DemoServers } from './io.ts';

const timeoutMs = 60_000;

/**
 * Starts both servers and fills the source. Rejects, with nothing left behind, where this machine has no loopback
 * address or no temporary directory.
 */
export async function openDemoServers(): Promise<DemoServers> {
  const listeners: SandboxListener[] = [];
  const stateDir = await mkdtemp(join(tmpdir(), 'imap-migrate-demo-'));
  // A process that is stopped at once closes nothing: the directory must not outlive it.
  const removeState = () => rmSync(stateDir, { recursive: true, force: true });
  process.once('exit', removeState);
  const close = async () => {
    await Promise.all(listeners.map((listener) => listener.close()));
    process.removeListener('exit', removeState);
    await rm(stateDir, { recursive: true, force: true });
  };
  try {
    // Others on this machine can reach the ports: the accounts have a password, and a new one each time.
    const password = randomBytes(12).toString('base64url');
    const source = new SandboxServer();
    const account = source.addAccount({ user: 'old', password });
    fillDemoAccount(account);
    const target = new SandboxServer({ delimiter: '.' });
    target.addAccount({ user: 'new', password });
    for (const server of [source, target]) listeners.push(await listenSandbox(server));
    const [sourcePort = 0, targetPort = 0] = listeners.map((listener) => listener.port);
    return {
      source: demoAccount('old', password, sourcePort),
      target: demoAccount('new', password, targetPort),
      stateDir,
      messages: [...account.mailboxes.values()].reduce((sum, mailbox) => sum + mailbox.messages.length, 0),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function demoAccount(username: string, secret: string, port: number): AccountSettings {
  return {
    file: `(demo, ${username})`,
    host: '127.0.0.1',
    port,
    tls: { mode: 'none', verify: true, checkHostname: true, ca: null },
    command: null,
    username,
    secret,
    auth: 'auto',
    authorizationId: null,
    timeoutMs,
    prefix: null,
    delimiter: null,
  };
}
