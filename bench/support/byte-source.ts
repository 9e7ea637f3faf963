/** Sends a gigabyte to whoever connects. Prints its port; ends with its standard input. */
import { type AddressInfo, createServer } from 'node:net';

const chunk = Buffer.alloc(64 * 1024, 'x');
const chunks = 16 * 1024;

const server = createServer((socket) => {
  let sent = 0;
  const send = () => {
    while (sent < chunks) {
      sent++;
      if (!socket.write(chunk)) return;
    }
    socket.end();
  };
  socket.on('drain', send);
  socket.on('error', () => socket.destroy());
  send();
});
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
process.stdin.on('end', () => process.exit()).resume();
