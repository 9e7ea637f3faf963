/** Runs once before the live tests: finds, installs or unpacks the servers, and tells the tests what there is. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { type AvailableServers, prepareServers } from '../support/servers/index.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    servers: AvailableServers;
    /** A folder for account files and journals; it goes away when the run ends, interrupted or not. */
    workDir: string;
  }
}

export default async function setup(project: TestProject): Promise<() => void> {
  const servers = await prepareServers();
  project.provide('servers', servers);
  if (servers.missing.length > 0) tellMissing(servers.missing.join('; '));
  const workDir = mkdtempSync(join(tmpdir(), 'imap-migrate-live-'));
  project.provide('workDir', workDir);
  const remove = () => rmSync(workDir, { recursive: true, force: true });
  // Ctrl-C ends vitest without its teardown.
  process.once('exit', remove);
  return remove;
}

/** CI must prove everything: there a skipped server would look like a passed one. */
function tellMissing(what: string): void {
  if (process.env.CI === 'true') throw new Error(`The live tests need every server in CI. Missing: ${what}`);
  process.stderr.write(`\n!!! LIVE TESTS SKIPPED for want of: ${what}\n\n`);
}
