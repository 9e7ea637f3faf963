import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError } from '../src/errors.ts';
import { createRedact, openLog, redactData } from '../src/log.ts';
import { makeAccount } from './cli/fake-io.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const redactFor = (secret: string, username = 'alice@example.org') =>
  createRedact([makeAccount('a.ini', { secret, username })]);

describe('createRedact', () => {
  it.each([
    ['in a sentence', 'hunter22', 'LOGIN alice hunter22 failed', 'LOGIN alice [secret] failed'],
    ['inside a word', 'hunter22', 'xhunter22x', 'x[secret]x'],
    ['as a quoted string', 'hunt"er\\2', 'LOGIN "hunt\\"er\\\\2"', 'LOGIN "[secret]"'],
    ['with characters of a pattern', 'a.b*c(d)', 'a.b*c(d) aXbbc(d)', '[secret] aXbbc(d)'],
    ['as LOGIN sends it', 'hunter22', `bad ${base64('hunter22')}`, 'bad [secret]'],
    ['as PLAIN sends it', 'hunter22', `bad ${base64('\0alice@example.org\0hunter22')} here`, 'bad [secret] here'],
    [
      'as XOAUTH2 sends it',
      'ya29.token',
      base64('user=alice@example.org\u0001auth=Bearer ya29.token\u0001\u0001'),
      '[secret]',
    ],
    ['short, as a word', 'abc', 'said abc, not abcd or xabc', 'said [secret], not abcd or xabc'],
  ])('hides a secret %s', (_name, secret, text, shown) => {
    expect(redactFor(secret)(text)).toBe(shown);
  });

  it('hides the longer one of two secrets that begin alike as a whole', () => {
    const redact = createRedact(['hunter22', 'hunter22-too'].map((secret) => makeAccount('a.ini', { secret })));
    expect(redact('hunter22-too hunter22')).toBe('[secret] [secret]');
  });

  it.each([
    ['', 'alice'],
    ['alice', 'alice'],
    ['alice', 'alice@example.org'],
  ])('leaves texts alone for the secret %j of %s, which hides nothing', (secret, username) => {
    expect(redactFor(secret, username)('login of alice failed')).toBe('login of alice failed');
  });
});

describe('redactData', () => {
  it("goes through servers' words at any depth, and leaves names and other data alone", () => {
    const columns = new Uint32Array([1, 2]);
    const data = {
      kind: 'finished',
      report: {
        folders: [{ source: 'hunter22', refused: [{ folder: 'hunter22', message: 'no hunter22', uid: 7 }] }],
        warnings: ['hunter22 leaked'],
        failure: null,
      },
      server: 'hunter22 ready',
      columns,
    };
    expect(redactData(data, redactFor('hunter22'))).toEqual({
      kind: 'finished',
      report: {
        folders: [{ source: 'hunter22', refused: [{ folder: 'hunter22', message: 'no [secret]', uid: 7 }] }],
        warnings: ['[secret] leaked'],
        failure: null,
      },
      server: '[secret] ready',
      columns,
    });
  });
});

describe('openLog', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'imap-migrate-log-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const read = (file: string) =>
    readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const failOnFailure = (error: Error) => {
    throw error;
  };

  it('appends JSON lines that are in the file at once, without secrets', async () => {
    const file = join(directory, 'job.log');
    const options = { debug: false, redact: redactFor('hunter22'), onFailure: failOnFailure };
    const log = await openLog(file, options);
    log.info({ folder: 'Entwürfe', account: { secret: 'other' } }, 'opened with hunter22');
    log.debug({}, 'too much detail');
    log.error({ message: `echo ${base64('hunter22')}` }, 'refused');
    expect(read(file)).toHaveLength(2);
    log.close();
    const again = await openLog(file, { ...options, debug: true });
    again.debug({}, 'detail');
    again.close();
    const [first, second, third] = read(file);
    expect(first).toMatchObject({
      level: 30,
      msg: 'opened with [secret]',
      folder: 'Entwürfe',
      account: { secret: '[secret]' },
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    });
    expect(second).toMatchObject({ level: 50, message: 'echo [secret]' });
    expect(third).toMatchObject({ level: 20, msg: 'detail' });
    expect(readFileSync(file, 'utf8')).not.toContain('hunter22');
  });

  it('creates a file that others cannot read', async () => {
    const file = join(directory, 'job.log');
    (await openLog(file, { debug: false, redact: (text) => text, onFailure: failOnFailure })).close();
    expect(statSync(file).mode & 0o077).toBe(0);
  });

  it('names the file that cannot be opened, and why', async () => {
    const file = join(directory, 'missing', 'job.log');
    const opening = openLog(file, { debug: false, redact: (text) => text, onFailure: failOnFailure });
    await expect(opening).rejects.toThrow(ConfigError);
    await expect(opening).rejects.toThrow(`cannot write the log file ${file} (ENOENT): choose another one with --log`);
  });

  it.runIf(process.platform === 'linux')('tells once that the disk is full, and goes on', async () => {
    const failures: string[] = [];
    const log = await openLog('/dev/full', {
      debug: false,
      redact: (text) => text,
      onFailure: (error) => failures.push(error.message),
    });
    log.info({}, 'one');
    log.info({}, 'two');
    log.close();
    expect(failures).toEqual([expect.stringContaining('ENOSPC')]);
  });
});
