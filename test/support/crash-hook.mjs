/**
 * Loaded into the built command with `--import`: ends the process with SIGKILL at `IMAP_MIGRATE_CRASH_AT=point:n`, the n-th
 * time that it comes to that point. It reaches in from outside, through the SQLite package and Node's sockets, so that what is
 * published knows nothing of crashes. Threads load it as well; each counts for itself.
 */
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { Socket } from 'node:net';
import threads from 'node:worker_threads';

const [point, count] = (process.env.IMAP_MIGRATE_CRASH_AT ?? '').split(':');
const nth = Number(count ?? 1);
let seen = 0;

/** The journal's thread is started without options: here it gets those that load this file. */
const { Worker } = threads;
threads.Worker = class extends Worker {
  constructor(file, options) {
    super(file, { ...options, execArgv: process.execArgv });
  }
};
syncBuiltinESMExports();

/** `SIGKILL` arrives at once for this process, whichever thread asks. */
function die() {
  process.kill(process.pid, 'SIGKILL');
  // Nothing may follow on this thread until it has.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

/** Table whose rows make a commit one of those that count; `null`: any. */
const tables = {
  'before-intent': 'intent_batches',
  'after-intent': 'intent_batches',
  'before-outcome': 'message_blocks',
  'mid-commit': null,
};

if (point in tables) hookCommits(tables[point], point === 'after-intent');
else if (point === 'mid-literal' || point === 'after-crlf') hookAppends(point === 'mid-literal');
else if (point !== '') throw new Error(`${point} is no point to crash at`);

function hookCommits(table, isAfter) {
  // As the built command loads it: what is imported is another copy.
  const { DatabaseSync } = createRequire(import.meta.url)('@photostructure/sqlite');
  const { prepare, exec } = DatabaseSync.prototype;
  const counts = new RegExp(`INSERT.* INTO ${table ?? 'commits'}\\b`);
  let concerned = false;
  // The package's own methods cannot be replaced, only covered.
  DatabaseSync.prototype = Object.create(DatabaseSync.prototype, {
    prepare: {
      value(sql) {
        const statement = prepare.call(this, sql);
        if (!counts.test(sql)) return statement;
        const { run } = statement;
        const value = (...values) => {
          concerned = true;
          return run.apply(statement, values);
        };
        return Object.defineProperty(statement, 'run', { value });
      },
    },
    exec: {
      value(sql) {
        if (sql.startsWith('BEGIN')) concerned = false;
        const isIt = sql === 'COMMIT' && concerned && ++seen === nth;
        if (isIt && !isAfter) die();
        exec.call(this, sql);
        if (isIt) die();
      },
    },
  });
}

/** Lets the n-th APPEND out to the middle of a literal, or to its end, and the process dies when that has left. */
function hookAppends(isMiddle) {
  const { _write: write } = Socket.prototype;
  /** The connection whose APPEND it is. */
  let armed = null;
  let struck = false;
  const send = (socket, data, callback) => {
    let from = 0;
    const at = armed === null ? data.indexOf(' APPEND ') : -1;
    if (at !== -1 && ++seen === nth) {
      armed = socket;
      from = data.indexOf('\r\n', at) + 2;
    }
    if (armed !== socket || struck || from === data.length) return write.call(socket, data, 'buffer', callback);
    if (isMiddle) {
      struck = true;
      return write.call(socket, data.subarray(0, (from + data.length) >> 1), 'buffer', die);
    }
    if (data.subarray(-2).equals(Buffer.from('\r\n'))) {
      struck = true;
      setTimeout(die, 20);
    }
    return write.call(socket, data, 'buffer', callback);
  };
  Socket.prototype._write = function (data, encoding, callback) {
    send(this, Buffer.from(data, encoding), callback);
  };
  Socket.prototype._writev = function (pieces, callback) {
    send(this, Buffer.concat(pieces.map(({ chunk, encoding }) => Buffer.from(chunk, encoding))), callback);
  };
}
