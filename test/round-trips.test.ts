/** How often a job waits for the line: what it costs across an ocean, whatever the machine does meanwhile. */
import { describe, expect, it } from 'vitest';
import { Random } from '../src/sandbox/random.ts';
import { Engine, multisets } from './support/engine.ts';
import { FarLine, type Travelled } from './support/far-line.ts';

/** The folders of an ordinary account and the messages in them: 2,000 in all. */
const folders: readonly (readonly [name: string, messages: number])[] = [
  ['INBOX', 600],
  ['Archive', 160],
  ['Archive/2021', 180],
  ['Archive/2022', 180],
  ['Archive/2023', 160],
  ['Drafts', 20],
  ['Invoices', 120],
  ['Lists', 60],
  ['Lists/announce', 120],
  ['Lists/users', 140],
  ['Notes', 20],
  ['Sent', 200],
  ['Trash', 40],
];
/** Of a message, on average: 65 MB in all. */
const meanBytes = 32 * 1024;
const rttMs = 80;

function fill(engine: Engine): void {
  const random = new Random(7);
  const text = Buffer.alloc(4 * meanBytes, 'All work and no play makes Jack a dull boy.\r\n');
  for (const [name, messages] of folders) {
    const mailbox = name === 'INBOX' ? engine.source.inbox : engine.source.createMailbox(name, { subscribed: true });
    for (let n = 0; n < messages; n++) {
      const head = Buffer.from(`Message-ID: <${name}-${n}@x>\r\nSubject: ${n}\r\n\r\n`);
      const body = Buffer.concat([head, text.subarray(0, Math.round(random.next() * 2 * meanBytes))]);
      mailbox.append({
        body,
        flags: random.next() < 0.7 ? ['\\Seen'] : [],
        internalDate: '01-Feb-2020 10:00:00 +0200',
      });
    }
  }
}

/** @throws the whole conversation where it took longer */
function expectAtMost(limit: number, { roundTrips, log }: Travelled<unknown>): void {
  if (roundTrips > limit) throw new Error(`${roundTrips} round trips, where ${limit} are allowed:\n${log}`);
}

describe('an account of 13 folders far away', () => {
  it('is copied, looked over and brought up to date in few round trips', async () => {
    const line = new FarLine(rttMs);
    using engine = new Engine({ line });
    fill(engine);
    const first = await line.measure(() => engine.run({ connections: 'auto' }));
    expect(first.result.report).toMatchObject({ verdict: 'complete', copied: 2000 });
    expect(multisets(engine.target)).toEqual(multisets(engine.source));
    const second = await line.measure(() => engine.run({ connections: 'auto' }));
    expect(second.result.report).toMatchObject({ verdict: 'complete', copied: 0, alreadyThere: 2000 });
    engine.source.inbox.append({ body: 'Subject: news\r\n\r\n' });
    const third = await line.measure(() => engine.run({ connections: 'auto' }));
    expect(third.result.report).toMatchObject({ verdict: 'complete', copied: 1 });
    expectAtMost(7, first);
    expectAtMost(2.5, second);
    expectAtMost(6.5, third);
  });
});

describe('a target that makes each message wait for its go-ahead', () => {
  it('is given more connections, as many as make it faster', async () => {
    const line = new FarLine(rttMs);
    using engine = new Engine({ line, target: { disable: ['LITERAL+', 'MULTIAPPEND'] } });
    const mailbox = engine.source.createMailbox('Archive');
    for (let n = 0; n < 4_000; n++) mailbox.append({ body: `Message-ID: <${n}@x>\r\n\r\n` });
    const { result } = await line.measure(() => engine.run({ connections: 'auto' }));
    expect(result.report).toMatchObject({ verdict: 'complete', copied: 4000, connections: { most: 8 } });
    const lanes = result.events.flatMap((event) => (event.kind === 'connections' ? [event.connections] : []));
    expect(lanes).toEqual([4, 8]);
  });
});
