import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ImapClient } from '../../src/protocol/index.ts';
import { connectSandbox, fillDemoAccount, SandboxServer } from '../../src/sandbox/index.ts';
import { wire } from '../support/chunking.ts';
import { transcripts } from '../transcripts/servers.ts';

/** What servers say: the transcripts, the dialogues of the RFCs, and what the sandbox answers to a client's calls. */
export async function serverCorpus(): Promise<Buffer[]> {
  return [...transcripts.map(({ lines }) => wire(...lines)), ...dialogueCorpus(), ...(await sandboxCorpus())];
}

/** The server's lines of each transcript in `test/protocol/rfc`, read from the source: the tests themselves only run in vitest. */
function dialogueCorpus(): Buffer[] {
  const folder = join('test', 'protocol', 'rfc');
  return readdirSync(folder).flatMap((file) => {
    const transcripts = readFileSync(join(folder, file), 'utf8').split('transcript:').slice(1);
    return transcripts.map((text) => {
      const lines = [...text.matchAll(/^ *S: (.*?)`?,?$/gm)].map(([, line = '']) => line.replaceAll('\\\\', '\\'));
      return wire(...lines);
    });
  });
}

const calls: readonly ((client: ImapClient) => Promise<unknown>)[] = [
  (client) => client.namespace(),
  (client) => client.listFolders('', '*', { returnStatus: ['MESSAGES', 'UIDNEXT', 'UIDVALIDITY'] }),
  (client) => client.folderStatus('INBOX', ['MESSAGES', 'HIGHESTMODSEQ']),
  (client) => client.getQuotaRoot('INBOX'),
  (client) => client.selectFolder('INBOX'),
  (client) => client.fetch('1:6', ['UID', 'FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE', 'BODYSTRUCTURE']),
  (client) => client.fetch('1:40', ['UID', 'RFC822.SIZE', 'FLAGS']),
  (client) =>
    client.fetch('1:3', ['UID', 'FLAGS', 'INTERNALDATE', 'BODY.PEEK[]<0.300>', 'BODY.PEEK[HEADER.FIELDS (TO)]']),
  (client) => client.search('ALL'),
  (client) => client.addFlags('1:3', ['$x']),
];

/** The bytes behind each call, one input per call. */
async function sandboxCorpus(): Promise<Buffer[]> {
  const server = new SandboxServer();
  fillDemoAccount(server.addAccount({ user: 'u', password: 'p' }));
  const transport = connectSandbox(server);
  let heard: Buffer[] = [];
  const start = transport.start.bind(transport);
  transport.start = (handlers) =>
    start({
      onData: (chunk) => {
        heard.push(chunk);
        handlers.onData(chunk);
      },
      onDrain: () => handlers.onDrain(),
      onClose: (error) => handlers.onClose(error),
    });
  const client = await ImapClient.connect({ host: 'sandbox', tls: 'none', transport });
  await client.plainLogin('u', 'p');
  const corpus: Buffer[] = [];
  for (const call of calls) {
    heard = [];
    await call(client);
    corpus.push(Buffer.concat(heard));
  }
  await client.logout();
  return corpus;
}
