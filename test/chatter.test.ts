/** Servers that say more than they were asked for, at any moment, or less: what they hold is copied, and nothing else. */
import { describe, expect, it } from 'vitest';
import type { MessageQuirk, NewMessage } from '../src/sandbox/index.ts';
import { sampled } from './support/effort.ts';
import { Engine, multisets, needless, within } from './support/engine.ts';

const message = (n: number, more: Partial<NewMessage> = {}): NewMessage => ({
  body: `Message-ID: <${n}@x>\r\nDate: Sat, 01 Feb 2020 10:00:00 +0200\r\nSubject: ${n}\r\n\r\nbody ${n}\r\n`,
  internalDate: '01-Feb-2020 10:00:00 +0200',
  flags: ['\\Seen', '$Label'],
  ...more,
});

const patienceMs = 15_000;

const news: readonly (readonly [what: string, lines: readonly string[]])[] = [
  ['flags of a message by its number', ['* 1 FETCH (FLAGS (\\Deleted $Stranger))', '* 2 FETCH (FLAGS (\\Draft))']],
  [
    'flags of a message by its UID',
    ['* 1 FETCH (UID 1 FLAGS (\\Seen $Label))', '* 3 FETCH (FLAGS ($Label \\Seen) UID 3)'],
  ],
  ['something for people', ['* OK [ALERT] down at noon', '* NO the disk is nearly full', '* BAD something was odd']],
  ['answers to what nobody asked', ['* SEARCH 1 2 3', '* STATUS Elsewhere (MESSAGES 7 UIDNEXT 9)', '* FLAGS (\\Seen)']],
  ['what no RFC knows', ['* XVENDOR "a" (b {3}', 'c"d) NIL', '* 0 RECENT', '* 17 XCOUNT']],
];
const moments = [
  ['ahead of its answer', 'before'],
  ['in front of its last line', 'after'],
  ['behind its last line', 'after-tagged'],
] as const;
const runs = ['first', 'second'] as const;
const cases = moments.flatMap(([where, at]) => runs.map((run) => ({ where, at, run })));
let tests = 0;

describe.each(['source', 'target'] as const)('a %s', (side) => {
  describe.each(news)('that tells %s', (_, lines) => {
    it.each(cases)('with any command of the $run run, $where, is copied as it is', async ({ at, run }) => {
      let fired = 1;
      for (const nth of sampled(tests++, 10)) {
        if (fired === 0) break;
        using engine = new Engine({ source: { disable: needless }, target: { disable: needless } });
        const { inbox } = engine.source;
        for (let n = 1; n <= 20; n++) inbox.append(message(n));
        engine.source.createMailbox('Other').append(message(50));
        for (const n of [1, 2]) engine.target.inbox.append(message(n));
        const copy = () => within(patienceMs, engine.run({ connections: 1 }));
        if (run === 'second') {
          await copy();
          for (const it of inbox.messages.slice(3, 6)) inbox.setFlags(it, ['\\Answered']);
          inbox.append(message(21));
        }
        const fault = engine.servers[side].faults.add({ command: '*', nth }, { kind: 'inject', lines, at });
        const { report } = await copy();
        ({ fired } = fault);
        expect({ nth, ...report }).toMatchObject({ nth, exitCode: 0, verdict: 'complete' });
        expect({ nth, ...multisets(engine.target) }).toEqual({ nth, ...multisets(engine.source) });
      }
    });
  });
});

describe('a message that is listed', () => {
  const quirks: readonly (readonly [comes: string, quirk: MessageQuirk])[] = [
    ['with NIL for its body', 'nil'],
    ['without its body', 'absent'],
    ['in no answer at all', 'phantom'],
    ['with a refusal', 'error'],
  ];
  it.each(quirks)('and comes %s is named, and costs nobody else anything', async (_, quirk) => {
    using engine = new Engine();
    for (let n = 1; n <= 120; n++) engine.source.inbox.append(message(n, n === 60 ? { quirk } : {}));
    const { report } = await within(patienceMs, engine.run());
    expect(report).toMatchObject({ exitCode: 3, verdict: 'partial', copied: 119, refused: 1 });
    expect(report.folders[0]?.refused).toMatchObject([{ folder: 'INBOX', uid: 60 }]);
    engine.source.inbox.expunge(engine.source.inbox.messages.filter((it) => it.quirk !== null));
    expect(multisets(engine.target)).toEqual(multisets(engine.source));
  });

  it.each([0, 1, 50, 100_000])('as of %i bytes is what it is', async (reportedSize) => {
    using engine = new Engine();
    for (let n = 1; n <= 5; n++) engine.source.inbox.append(message(n, n === 3 ? { reportedSize } : {}));
    expect((await within(patienceMs, engine.run())).report).toMatchObject({ exitCode: 0, copied: 5 });
    expect(multisets(engine.target)).toEqual(multisets(engine.source));
  });
});
