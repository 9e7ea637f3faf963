import { type AddressInfo, createServer, type Socket } from 'node:net';

/**
 * An IMAP server that refuses every login and repeats in its words what it was sent: the line, each answer to a challenge,
 * and both decoded. Servers in debug mode do so, and hostile ones.
 */
export interface EchoServer extends AsyncDisposable {
  readonly port: number;
  /** Lines it was sent. */
  readonly heard: readonly string[];
}

/** `capabilities`: what it says it can do. */
export async function startEchoServer(capabilities: string): Promise<EchoServer> {
  const sockets = new Set<Socket>();
  const heard: string[] = [];
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.write(`* OK [CAPABILITY IMAP4rev1 ${capabilities}] ready\r\n`);
    let rest = '';
    let pending: { readonly tag: string; readonly said: string[] } | null = null;
    socket.setEncoding('latin1').on('data', (text: string) => {
      const lines = (rest + text).split('\r\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        heard.push(line);
        const [tag = '', command = '', mechanism] = line.split(' ');
        if (pending !== null) {
          pending.said.push(line);
          // LOGIN asks twice, and bearers are told why before they are refused.
          if (pending.said.length < 2) socket.write(`+ ${Buffer.from(`you said ${line}`).toString('base64')}\r\n`);
          else {
            socket.write(refusal(pending.tag, pending.said));
            pending = null;
          }
        } else if (command === 'AUTHENTICATE') {
          pending = { tag, said: [line] };
          if (mechanism !== undefined && line.split(' ').length > 3) {
            socket.write(refusal(tag, pending.said));
            pending = null;
          } else socket.write('+ \r\n');
        } else if (command === 'LOGIN') socket.write(refusal(tag, [line]));
        else socket.write(`${tag} OK done\r\n`);
      }
    });
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    heard,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function refusal(tag: string, said: readonly string[]): string {
  const decoded = said.map((line) => {
    const text = Buffer.from(line.split(' ').at(-1) ?? '', 'base64').toString('latin1');
    // What stands between the parts of a SASL message would end the line.
    return [...text].map((char) => (char < ' ' ? ' ' : char)).join('');
  });
  const words = [...said, ...decoded].join(' | ');
  return `* OK [ALERT] you sent ${words}\r\n${tag} NO [AUTHENTICATIONFAILED] not with ${words}\r\n`;
}
