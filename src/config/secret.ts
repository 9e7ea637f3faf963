/**
 * Where a password comes from when it is not written into the account's file. Whatever goes wrong here, no message
 * holds the secret or the output that was to be one.
 */
import { spawn } from 'node:child_process';
import type { Cancel, Clock } from '../clock.ts';
import { ConfigError } from '../errors.ts';
import { chmodAdvice, readPrivateFile } from './private-file.ts';

/** How long a password command may take: long enough to unlock a keyring by hand. */
const commandTimeoutMs = 60_000;
/** How much of its output is kept; a password is in the first line. */
const keptOutput = 64 * 1024;
const shownErrorLength = 200;

export interface SecretContext {
  /** `src.ini:4: password_command`: begins every message. */
  readonly where: string;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly signal: AbortSignal | null;
}

/**
 * The first line that `sh -c command` prints. The command runs where the process runs, without standard input.
 * @throws ConfigError where it cannot be started, fails, prints nothing or takes more than a minute; the message holds
 * the last line of its stderr. Throws the signal's reason when that aborts.
 */
export async function readFromCommand(command: string, context: SecretContext): Promise<string> {
  const { where, env, clock, signal } = context;
  signal?.throwIfAborted();
  const child = spawn(command, { shell: true, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  let cancelTimeout: Cancel = () => {};
  let onAbort = () => {};
  try {
    return await new Promise<string>((resolve, reject) => {
      const giveUp = (error: unknown) => {
        child.kill('SIGKILL');
        // What the shell started may hold the pipes open for ever.
        child.stdout.destroy();
        child.stderr.destroy();
        reject(error);
      };
      cancelTimeout = clock.after(commandTimeoutMs, () => {
        const seconds = commandTimeoutMs / 1000;
        giveUp(new ConfigError(`${where} took more than ${seconds} seconds: run the command by itself to see why`));
      });
      onAbort = () => giveUp(signal?.reason);
      signal?.addEventListener('abort', onAbort, { once: true });
      child.on('error', (error: NodeJS.ErrnoException) => {
        // No cause: it would carry the command line, and that may hold a secret.
        reject(new ConfigError(`${where} could not be started (${error.code ?? error.name})`));
      });
      child.on('close', (code, killedBy) => {
        const secret = firstLine(stdout());
        if (code !== 0) {
          const ending = killedBy === null ? `exit code ${code}` : killedBy;
          const words = lastLine(stderr(), secret);
          reject(new ConfigError(`${where} ended with ${ending}${words === '' ? '' : `: ${words}`}`));
        } else if (secret === '') {
          reject(new ConfigError(`${where} printed nothing: its first line of output has to be the password`));
        } else {
          resolve(secret);
        }
      });
    });
  } finally {
    cancelTimeout();
    signal?.removeEventListener('abort', onAbort);
  }
}

/**
 * The content of a file without the line end at its end.
 * @throws ConfigError where it cannot be read, is empty, has several lines, is not UTF-8, or (unless
 * `allowReadableSecrets`) others may read it.
 */
export async function readFromFile(
  path: string,
  context: SecretContext & { readonly allowReadableSecrets: boolean },
): Promise<string> {
  const what = `${context.where} (${path})`;
  const { bytes, exposed } = await readPrivateFile(path, what);
  if (exposed && !context.allowReadableSecrets) {
    throw new ConfigError(`${what}: others can read or change the password in it: ${chmodAdvice(path)}`);
  }
  let secret: string;
  try {
    secret = new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/\r?\n$/, '');
  } catch {
    throw new ConfigError(`${what}: is not UTF-8 text: save the file as UTF-8`);
  }
  if (secret === '') throw new ConfigError(`${what}: is empty: write the password into it`);
  if (/[\r\n]/.test(secret)) throw new ConfigError(`${what}: has several lines: keep the password alone in it`);
  return secret;
}

/**
 * The value of an environment variable.
 * @throws ConfigError where there is none or it is empty. What is no variable's name is not quoted: it may be the
 * password itself, written in the wrong place.
 */
export function readFromEnvironment(name: string, context: SecretContext): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    throw new ConfigError(`${context.where} is not the name of an environment variable, such as IMAP_PASSWORD`);
  }
  const secret = context.env[name];
  if (secret === undefined || secret === '') {
    throw new ConfigError(`${context.where}: the environment variable ${name} is not set: export it first`);
  }
  return secret;
}

/** Gathers the first bytes of a stream; the result is read when it is over. */
function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  let length = 0;
  stream.on('data', (chunk: Buffer) => {
    if (length < keptOutput) chunks.push(chunk.subarray(0, keptOutput - length));
    length += chunk.length;
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

function firstLine(output: string): string {
  return output.split('\n', 1)[0]?.replace(/\r$/, '') ?? '';
}

function lastLine(output: string, secret: string): string {
  const line = output.trimEnd().split(/\r?\n/).at(-1)?.trim() ?? '';
  const shown = secret === '' ? line : line.replaceAll(secret, '***');
  return shown.slice(0, shownErrorLength);
}
