// A tiny IMAP server on standard input and output, for the tests of tunnels. It keeps the last message it was given.
import { readFileSync } from 'node:fs';
import { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';

const behaviour = process.argv[2];
const read = (name) => readFileSync(new URL(`./certs/${name}.pem`, import.meta.url));
const stdio = Duplex.from({ readable: process.stdin, writable: process.stdout });
const stream =
  behaviour === 'tls' ? new TLSSocket(stdio, { isServer: true, cert: read('rsa-cert'), key: read('rsa-key') }) : stdio;
stream.on('error', () => process.exit(0));

const say = (text) => stream.write(`${text}\r\n`, 'latin1');
let inbox = Buffer.alloc(0);
let literalBytes = 0;
let tag = '';
let message = Buffer.alloc(0);

say('* PREAUTH [CAPABILITY IMAP4rev1 LITERAL+] at your service');
stream.on('data', (chunk) => {
  inbox = Buffer.concat([inbox, chunk]);
  while (consume());
});

function consume() {
  if (literalBytes > 0) {
    if (inbox.length < literalBytes + 2) return false;
    message = inbox.subarray(0, literalBytes);
    inbox = inbox.subarray(literalBytes + 2);
    literalBytes = 0;
    say(`${tag} OK stored`);
    return true;
  }
  const end = inbox.indexOf('\r\n');
  if (end === -1) return false;
  const line = inbox.toString('latin1', 0, end);
  inbox = inbox.subarray(end + 2);
  tag = line.split(' ', 1)[0];
  answer(line);
  return true;
}

function answer(line) {
  if (behaviour === 'dies') {
    process.stderr.write('tunnel broke\n');
    process.exit(7);
  }
  const literal = /\{(\d+)\+\}$/.exec(line);
  if (literal !== null) {
    literalBytes = Number(literal[1]);
    return;
  }
  if (/ SELECT /.test(line)) say('* 1 EXISTS');
  if (/ FETCH /.test(line)) {
    stream.write(`* 1 FETCH (UID 1 BODY[] {${message.length}}\r\n`);
    stream.write(message);
    say(')');
  }
  if (/ LOGOUT$/.test(line)) say('* BYE bye');
  say(`${tag} OK done`);
}
