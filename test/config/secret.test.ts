import { execFileSync } from 'node:child_process';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readFromCommand, readFromEnvironment, readFromFile, type SecretContext } from '../../src/config/secret.ts';
import { ConfigError } from '../../src/errors.ts';
import { errorOf, everythingOf, ManualClock, tempDirectory, writeFile } from './fixtures.ts';

const marked = 'S3cr3t-mark';

function context(changes: Partial<SecretContext> = {}): SecretContext {
  return { where: 'a.ini:4: key', env: { PATH: process.env.PATH }, clock: new ManualClock(), signal: null, ...changes };
}

describe('readFromCommand', () => {
  it.each([
    ['its line', 'echo x', 'x'],
    ['its first line', 'echo x; echo y', 'x'],
    ['a line without an end', 'printf x', 'x'],
    ['a line that ends as on Windows', "printf 'x\\r\\ny'", 'x'],
    ['blanks and quotes in it', `printf '  "a b" \\n'`, '  "a b" '],
    ['what a pipe of commands makes of it', 'echo abc | tr b x', 'axc'],
    ['UTF-8', 'echo pässwörd', 'pässwörd'],
    ['a variable of the environment', 'echo $WHO', 'alice'],
  ])('reads %s', async (_, command, expected) => {
    const clock = new ManualClock();
    const env = { PATH: process.env.PATH, WHO: 'alice' };
    expect(await readFromCommand(command, context({ env, clock }))).toBe(expected);
    expect(clock.pending).toBe(0);
  });

  it.each([
    ['fails', `echo ${marked}; echo 'no such entry' >&2; exit 3`, 'a.ini:4: key ended with exit code 3: no such entry'],
    ['fails without a word', `echo ${marked}; exit 1`, 'a.ini:4: key ended with exit code 1'],
    ['is killed', 'kill -TERM $$', 'a.ini:4: key ended with SIGTERM'],
    [
      'prints the secret to stderr, too',
      `echo ${marked}; echo "tried ${marked}" >&2; exit 1`,
      'a.ini:4: key ended with exit code 1: tried ***',
    ],
    ['prints nothing', 'true', 'a.ini:4: key printed nothing: its first line of output has to be the password'],
    [
      'prints an empty line first',
      `echo; echo ${marked}`,
      'a.ini:4: key printed nothing: its first line of output has to be the password',
    ],
    ['does not exist', 'no-such-command-anywhere 2>/dev/null', 'a.ini:4: key ended with exit code 127'],
  ])('says why a command that %s gives no password', async (_, command, message) => {
    const error = await errorOf(readFromCommand(command, context()));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toBe(message);
    expect(everythingOf(error)).not.toContain(marked);
  });

  it('shows the last line of stderr only, and not all of a long one', async () => {
    const command = "echo first >&2; printf '%500d' 1 >&2; exit 1";
    const { message } = await errorOf(readFromCommand(command, context()));
    expect(message).not.toContain('first');
    expect(message.length).toBeLessThan(300);
  });

  it('takes the first line of very much output', async () => {
    expect(await readFromCommand('echo x; head -c 3000000 /dev/zero', context())).toBe('x');
  });

  it.each([
    [
      'takes more than a minute',
      (clock: ManualClock) => clock.advance(60_000),
      /^a\.ini:4: key took more than 60 seconds/,
    ],
    ['is no longer wanted', (_: ManualClock, stop: AbortController) => stop.abort(new Error('stopped')), /^stopped$/],
  ])('kills a command that %s', async (_, end, message) => {
    const fifo = join(tempDirectory(), 'fifo');
    execFileSync('mkfifo', [fifo]);
    const [clock, stop] = [new ManualClock(), new AbortController()];
    const failed = errorOf(readFromCommand(`exec sleep 600 > '${fifo}'`, context({ clock, signal: stop.signal })));
    // Opens once the command has it open for writing, and ends when the command is gone.
    const reader = await open(fifo, 'r');
    end(clock, stop);
    expect((await failed).message).toMatch(message);
    expect((await reader.read()).bytesRead).toBe(0);
    await reader.close();
    expect(clock.pending).toBe(0);
  });

  it('does not start where the signal has already come', async () => {
    const file = join(tempDirectory(), 'started');
    const action = readFromCommand(`touch '${file}'`, context({ signal: AbortSignal.abort(new Error('stopped')) }));
    expect((await errorOf(action)).message).toBe('stopped');
    await expect(open(file, 'r')).rejects.toThrow('ENOENT');
  });
});

describe('readFromFile', () => {
  const read = (content: string | Uint8Array, mode = 0o600, allowReadableSecrets = false) => {
    const path = writeFile(tempDirectory(), 'pw', content, mode);
    return { path, result: readFromFile(path, { ...context(), allowReadableSecrets }) };
  };

  it.each([
    ['without a line end', 'x', 'x'],
    ['with a line end', 'x\n', 'x'],
    ['with the line end of Windows', 'x\r\n', 'x'],
    ['with blanks at its ends', ' x \n', ' x '],
    ['after a byte order mark', '\ufeffx', 'x'],
  ])('reads a password %s', async (_, content, expected) => {
    expect(await read(content).result).toBe(expected);
  });

  it.each([
    ['an empty file', '', 'is empty: write the password into it'],
    ['a line end alone', '\n', 'is empty: write the password into it'],
    ['several lines', `${marked}\nx\n`, 'has several lines: keep the password alone in it'],
    ['Latin-1', Buffer.from(`${marked}\xe9`, 'latin1'), 'is not UTF-8 text: save the file as UTF-8'],
  ])('refuses %s', async (_, content, message) => {
    const { path, result } = read(content);
    const error = await errorOf(result);
    expect(error.message).toBe(`a.ini:4: key (${path}): ${message}`);
    expect(everythingOf(error)).not.toContain(marked);
  });

  it.each([0o640, 0o604, 0o620, 0o602, 0o666])(
    'refuses a file of mode %o, and takes it where that is allowed',
    async (mode) => {
      const { path, result } = read(marked, mode);
      const error = await errorOf(result);
      expect(error.message).toBe(
        `a.ini:4: key (${path}): others can read or change the password in it: run "chmod 600 ${path}"`,
      );
      expect(everythingOf(error)).not.toContain(marked);
      expect(await read(marked, mode, true).result).toBe(marked);
    },
  );

  it.each([
    ['is not there', (directory: string) => join(directory, 'pw'), 'there is no such file: check the path'],
    ['is a directory', (directory: string) => directory, 'is a directory, not a file'],
    ['has no end', () => '/dev/zero', 'is larger than 1048576 bytes, which no such file is'],
  ])('says so where the file %s', async (_, pathIn, message) => {
    const path = pathIn(tempDirectory());
    const error = await errorOf(readFromFile(path, { ...context(), allowReadableSecrets: true }));
    expect(error.message).toBe(`a.ini:4: key (${path}): ${message}`);
  });
});

describe('readFromEnvironment', () => {
  it('reads the variable', () => {
    expect(readFromEnvironment('PW', context({ env: { PW: ' x=y ' } }))).toBe(' x=y ');
  });

  it.each([
    ['NOT_SET', {}, 'a.ini:4: key: the environment variable NOT_SET is not set: export it first'],
    ['EMPTY', { EMPTY: '' }, 'a.ini:4: key: the environment variable EMPTY is not set: export it first'],
    [marked, {}, 'a.ini:4: key is not the name of an environment variable, such as IMAP_PASSWORD'],
  ])('refuses %s', (name, env, message) => {
    expect(() => readFromEnvironment(name, context({ env }))).toThrow(new ConfigError(message));
  });
});
