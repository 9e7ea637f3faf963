import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fromLetters, toLetters } from '../../src/archive/maildir-flags.ts';
import { MaildirKeywords } from '../../src/archive/maildir-keywords.ts';

let directory: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keywords-'));
  file = join(directory, 'dovecot-keywords');
});

afterEach(() => rmSync(directory, { recursive: true }));

function loaded(text?: string): MaildirKeywords {
  if (text !== undefined) writeFileSync(file, text);
  const keywords = new MaildirKeywords(directory);
  keywords.reload();
  return keywords;
}

const add = (keywords: MaildirKeywords, ...flags: string[]) => {
  keywords.add(flags, join(directory, 'temporary'), { fsync: true });
};

describe('keywords of a Maildir folder', () => {
  it('have letters in the order in which they came, in a file as Dovecot has it', () => {
    const keywords = loaded();
    expect(keywords.letterOf('work')).toBeNull();
    add(keywords, 'work', '$Forwarded');
    add(keywords, 'work', 'later');
    expect(readFileSync(file, 'latin1')).toBe('0 work\n1 $Forwarded\n2 later\n');
    expect(lstatSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(directory)).toEqual(['dovecot-keywords']);
    expect(['work', '$Forwarded', 'later'].map((flag) => loaded().letterOf(flag))).toEqual(['a', 'b', 'c']);
    expect(loaded().nameOf('b')).toBe('$Forwarded');
  });

  it('keep the letters that others gave meanwhile', () => {
    const keywords = loaded();
    writeFileSync(file, '0 theirs\n3 far\n');
    add(keywords, 'ours');
    expect(readFileSync(file, 'latin1')).toBe('0 theirs\n1 ours\n3 far\n');
  });

  it('are one whatever their case', () => {
    const keywords = loaded('0 Work\n');
    add(keywords, 'work', 'WORK');
    expect(keywords.letterOf('wORK')).toBe('a');
    expect(readFileSync(file, 'latin1')).toBe('0 Work\n');
  });

  it('are 26; others have none', () => {
    const keywords = loaded();
    const names = Array.from({ length: 30 }, (_, index) => `k${index}`);
    add(keywords, ...names);
    expect(names.filter((name) => keywords.letterOf(name) !== null)).toEqual(names.slice(0, 26));
    expect(keywords.letterOf('k25')).toBe('z');
    expect(readFileSync(file, 'latin1').split('\n')).toHaveLength(27);
  });

  it.each(['a b', 'a\n5 b', '', '\\Important', 'a\0', 'x(y', 'caf\u00e9', 'x'.repeat(201), 'a"b', '%', '*'])(
    'are not what would damage the file: %j',
    (flag) => {
      const keywords = loaded();
      add(keywords, flag);
      expect(keywords.letterOf(flag)).toBeNull();
      expect(readdirSync(directory)).toEqual([]);
    },
  );

  it('survive a damaged file: what makes no sense keeps its number and means nothing', () => {
    const keywords = loaded('0 work\r\nnonsense\n1 WORK\n2 x(y\n-1 a\n26 beyond\n999999999999 far\n3 last\n3 twice\n4');
    const names = ['a', 'b', 'c', 'd', 'e'].map((letter) => keywords.nameOf(letter));
    expect(names).toEqual(['work', null, null, 'last', null]);
    add(keywords, 'new');
    expect(keywords.letterOf('new')).toBe('e');
  });

  it('are not read through a link, nor written through one', () => {
    const elsewhere = join(directory, 'elsewhere');
    writeFileSync(elsewhere, '0 secret\n');
    symlinkSync(elsewhere, file);
    expect(() => loaded()).toThrow(expect.objectContaining({ code: 'UNREADABLE' }));
    expect(readFileSync(elsewhere, 'latin1')).toBe('0 secret\n');
  });
});

describe('flags as letters', () => {
  it.each([
    [['\\Seen', '\\Answered', '\\Flagged', '\\Draft', '\\Deleted'], 'DFRST'],
    [['\\seen', '\\SEEN'], 'S'],
    [['$Forwarded'], 'Pa'],
    [['$forwarded', 'work'], 'Pab'],
    [['work', '\\Recent', 'none', '\\Important'], 'b'],
    [[], ''],
  ])('%j: %s', (flags, letters) => {
    expect(toLetters(flags, loaded('0 $Forwarded\n1 work\n'))).toBe(letters);
  });

  it.each([
    ['DFRST', ['\\Draft', '\\Flagged', '\\Answered', '\\Seen', '\\Deleted']],
    ['P', ['$Forwarded']],
    ['Pa', ['$Forwarded']],
    ['a', ['$Forwarded']],
    ['SS', ['\\Seen']],
    ['XYcz', []],
  ])('%s: %j', (letters, flags) => {
    expect(fromLetters(letters, loaded('0 $forwarded\n1 work\n'))).toEqual(flags);
  });

  it('leave letters that mean nothing to us', () => {
    expect(toLetters(['\\Seen'], loaded('0 work\n'), 'FXaz')).toBe('SXz');
  });
});
