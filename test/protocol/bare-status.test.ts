import { describe, expect, it } from 'vitest';
import { statusCommand } from '../../src/protocol/commands/status.ts';
import { Framer } from '../../src/protocol/framer.ts';
import { parseResponse } from '../../src/protocol/response.ts';

/** What STATUS of `folder` makes of one untagged line. */
function answered(folder: string, line: string) {
  const command = statusCommand(folder, ['MESSAGES', 'UIDNEXT']);
  let taken = false;
  new Framer((frame) => {
    const response = parseResponse(frame);
    if (response.kind === 'data') taken = command.accept?.(response, 'A1') === true;
  }).push(Buffer.from(`${line}\r\n`, 'latin1'));
  return taken ? command.finish({ code: null, text: '' }) : null;
}

describe('a STATUS answer', () => {
  it.each([
    ['INBOX', '* STATUS INBOX (MESSAGES 3 UIDNEXT 4)'],
    ['a b', '* STATUS "a b" (MESSAGES 3 UIDNEXT 4)'],
    ['a b', '* STATUS a b (MESSAGES 3 UIDNEXT 4)'],
    ['[x] (and) {y}', '* STATUS [x] (and) {y} (MESSAGES 3 UIDNEXT 4)'],
    ['Été à', '* STATUS &AMk-t&AOk- &AOA- (MESSAGES 3 UIDNEXT 4) '],
  ])('of %s is understood with its name quoted or bare', (folder, line) => {
    expect(answered(folder, line)).toMatchObject({ messages: 3, uidNext: 4 });
  });

  it('of another folder is left to others', () => {
    expect(answered('a', '* STATUS a b (MESSAGES 3 UIDNEXT 4)')).toBeNull();
  });

  it('that is no list is refused in linear time', () => {
    const line = `* STATUS a (${'A 1111 '.repeat(500)}`;
    expect(() => answered('a', line)).toThrow();
  });
});
