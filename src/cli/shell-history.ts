/**
 * The lines typed into the shell, kept for the next time; never one that holds a secret.
 */
import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { REPLServer } from 'node:repl';

/** Calls that are given secrets, and words that stand beside one. */
const secretWords = /\b\w*(login|auth|proxyauth)\w*\s*\(|passw|secret|token/i;

/** True for a line that must not be kept: it holds `secret`, or may hold another one. */
export function isSecretLine(line: string, secret: string): boolean {
  return (secret !== '' && line.includes(secret)) || secretWords.test(line);
}

/**
 * Loads the history of a directory into the shell, and keeps it there: `shell-history`, for its owner only.
 * Resolves with what stands in the way; null: nothing.
 */
export async function keepHistory(server: REPLServer, directory: string, secret: string): Promise<string | null> {
  const file = join(directory, 'shell-history');
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    closeSync(openSync(file, 'a', 0o600));
    chmodSync(file, 0o600);
  } catch (error) {
    return `no history is kept: ${error instanceof Error ? error.message : String(error)}`;
  }
  // Before a line is written: a listener may change the list.
  server.on('history', (lines: string[]) => {
    for (let index = lines.length - 1; index >= 0; index--) {
      if (isSecretLine(lines[index] ?? '', secret)) lines.splice(index, 1);
    }
  });
  return new Promise((resolve) => {
    server.setupHistory(file, (error) => {
      resolve(error === null ? null : `no history is kept: ${error.message}`);
    });
  });
}
