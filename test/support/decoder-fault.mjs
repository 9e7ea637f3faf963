// A decoder that does what its messages' subjects say.
import { parentPort } from 'node:worker_threads';

const answers = {
  hang() {
    for (;;);
  },
  crash() {
    process.exit(3);
  },
  grow() {
    const all = [];
    for (;;) all.push(new Array(1_000_000).fill(all.length));
  },
  throw() {
    throw new Error('the parser is at a loss');
  },
};

const details = { from: '', to: '', dateMs: Number.NaN, messageId: '', attachments: [], state: 'whole' };

parentPort.on('message', ({ kind, outlines }) => {
  if (kind === 'find') answers.hang();
  const found = outlines.map(({ header }) => {
    const subject = (header.subject ?? '').replace(/^Subject: /, '');
    answers[subject]?.();
    return { ...details, subject };
  });
  parentPort.postMessage({ kind: 'details', details: found });
});
parentPort.postMessage({ kind: 'ready' });
