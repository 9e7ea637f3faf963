/**
 * Preloaded into the command: one of its worker threads dies when it has sent the n-th APPEND that it sends. `THREAD_FAULT` is
 * `how:n:file`, `how` being `exit` or `throw`; of all threads only the one that makes the file dies.
 */
import { writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { isMainThread } from 'node:worker_threads';

const [how, nth, file] = (process.env.THREAD_FAULT ?? '').split(':');

if (!isMainThread && file !== undefined) {
  let seen = 0;
  const { _write: write, _writev: writev } = Socket.prototype;
  const look = (data) => {
    if (!data.includes(' APPEND ') || ++seen !== Number(nth)) return;
    try {
      writeFileSync(file, '', { flag: 'wx' });
    } catch {
      return;
    }
    setImmediate(() => {
      if (how === 'exit') process.exit(3);
      throw new Error('a fault in a thread');
    });
  };
  Socket.prototype._write = function (data, encoding, callback) {
    look(Buffer.from(data, encoding));
    return write.call(this, data, encoding, callback);
  };
  Socket.prototype._writev = function (pieces, callback) {
    look(Buffer.concat(pieces.map(({ chunk, encoding }) => Buffer.from(chunk, encoding))));
    return writev.call(this, pieces, callback);
  };
}
