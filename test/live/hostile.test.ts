/** Servers that want our memory or our time get neither: the connection ends, in one line, below a fixed size. */
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { listenSandbox, SandboxServer } from '../../src/sandbox/index.ts';
import { closeAfterAll, Workspace } from './harness.ts';
import { RunningCommand } from './running.ts';

const keep = closeAfterAll();
const workspace = new Workspace();

/** What the command may hold at its worst: Node itself, its threads, and the largest answer there may be. */
const mostBytes = 450 * 1024 * 1024;

/** Says hello, lets anybody in, and answers every command from then on with `flood`, again and again, as fast as it is read. */
async function startFlood(flood: { readonly first: string; readonly again: Buffer | null }): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
    socket.write('* OK [CAPABILITY IMAP4rev1] ready\r\n');
    let isFlooding = false;
    const pour = () => {
      const { again } = flood;
      if (again !== null) while (!socket.destroyed && socket.write(again));
    };
    socket.on('drain', pour);
    socket.setEncoding('latin1').on('data', (text: string) => {
      for (const line of text.split('\r\n').filter((each) => each !== '')) {
        const [tag = '', command = ''] = line.split(' ');
        if (command === 'LOGIN' || command === 'CAPABILITY') {
          socket.write(`* CAPABILITY IMAP4rev1\r\n${tag} OK done\r\n`);
        } else if (!isFlooding) {
          isFlooding = true;
          socket.write(flood.first);
          pour();
        }
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  keep({
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  });
  return (server.address() as AddressInfo).port;
}

/** The most memory a running process has had so far. */
function peakBytes(pid: number): number {
  const kibibytes = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kibibytes ?? 0) * 1024;
}

const block = (text: string) => Buffer.from(text.repeat(Math.ceil(65_536 / text.length)));

const floods: readonly [name: string, first: string, again: Buffer | null][] = [
  ['a literal of 99,999,999,999 bytes', '* LIST () "/" {99999999999}\r\n', block('x')],
  ['a literal of more digits than numbers have', `* LIST () "/" {${'9'.repeat(40)}}\r\n`, block('x')],
  ['a line without an end', '* LIST () "/" "', block('x')],
  ['a text without an end', '* OK ', block('words and ')],
  ['lists in lists without an end', '* LIST ', block('(')],
  [
    '10,000 lists in each other',
    `* STATUS INBOX ${'('.repeat(10_000)}${')'.repeat(10_000)}\r\n`,
    block('* OK more\r\n'),
  ],
  ['one answer with literals without an end', '* LIST (', block('{1}\r\nx ')],
  ['folders without an end', '', block('* LIST (\\HasNoChildren) "/" "just another folder"\r\n')],
  ['an answer under a tag that nobody used', 'ZZZZZ9 OK done\r\n', null],
  ['a request for more of a command that has ended', '+ go on\r\n', null],
  ['no answer of IMAP at all', 'HTTP/1.1 200 OK\r\n', block('<html>\r\n')],
];

describe('a server that answers with', () => {
  test.each(floods)('%s ends the connection, and takes no memory with it', async (_, first, again) => {
    const port = await startFlood({ first, again });
    const good = new SandboxServer();
    good.addAccount({ user: 'alice', password: 'secret' });
    const { port: goodPort } = keep(await listenSandbox(good));
    const account = (at: number) =>
      workspace.ini({ host: '127.0.0.1', port: at, username: 'alice', password: 'secret', ssl: 'no', auth: 'login' });
    const command = RunningCommand.start([account(port), account(goodPort), '--state', workspace.stateDir()]);
    let peak = 0;
    const watch = setInterval(() => {
      try {
        peak = Math.max(peak, peakBytes(command.pid));
      } catch {
        // It has ended.
      }
    }, 20);
    const { code } = await command.ended.finally(() => clearInterval(watch));
    expect(code, command.stderr).toBe(4);
    expect(command.stderr).not.toMatch(/^\s+at /m);
    expect(command.stderr.length).toBeLessThan(4_000);
    expect(peak).toBeGreaterThan(0);
    expect(peak).toBeLessThan(mostBytes);
  });
});
