import { describe, expect, it } from 'vitest';
import { Decoder, decoderLimits } from '../../src/catalogue/decoder.ts';
import { outlineOf } from '../../src/catalogue/outline.ts';
import type { Cancel, Clock } from '../../src/clock.ts';
import { systemClock } from '../../src/clock.ts';

const thread = new URL('../support/decoder-fault.mjs', import.meta.url);
const outline = (subject: string) => outlineOf([Buffer.from(`Subject: ${subject}\r\n\r\n`)]);

/** The times it is asked for pass a hundred times as fast; the start of a thread has its own. */
const hasty: Clock = {
  now: () => systemClock.now(),
  after: (delayMs, callback): Cancel =>
    systemClock.after(delayMs === decoderLimits.startMs ? delayMs : delayMs / 100, callback),
};

describe('a decoder', () => {
  it.each([['hang'], ['crash'], ['grow'], ['throw']])(
    'that cannot cope (%s) costs that message its details',
    async (fault) => {
      // What it takes to run out of memory is the fault's own time.
      const clock = fault === 'grow' ? systemClock : hasty;
      await using decoder = new Decoder({ thread, inline: false, clock });
      const found = await decoder.details([outline('one'), outline(fault), outline('three')]);
      expect(found.map(({ subject, state }) => [subject, state])).toEqual([
        ['one', 'whole'],
        [fault, 'plain'],
        ['three', 'whole'],
      ]);
      expect((await decoder.details([outline('four')]))[0]).toMatchObject({ subject: 'four', state: 'whole' });
    },
  );

  it('that does not come back from a body says so', async () => {
    await using decoder = new Decoder({ thread, inline: false, clock: hasty });
    expect(await decoder.find(Buffer.from('x'), ['x'])).toBe(null);
  });

  it('that does not start ends the run', async () => {
    const missing = new URL('../support/no-such-file.mjs', import.meta.url);
    await using decoder = new Decoder({ thread: missing, inline: false });
    await expect(decoder.details([outline('one')])).rejects.toThrow(/does not start/);
  });
});
