/** Runs once before the live tests: finds, installs or unpacks the servers, and tells the tests what there is. */
import type { TestProject } from 'vitest/node';
import { type AvailableServers, prepareServers } from '../support/servers/index.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    servers: AvailableServers;
  }
}

export default async function setup(project: TestProject): Promise<void> {
  const servers = await prepareServers();
  project.provide('servers', servers);
  if (servers.missing.length === 0) return;
  const what = servers.missing.join('; ');
  // CI must prove everything: there a skipped server would look like a passed one.
  if (process.env.CI === 'true') throw new Error(`The live tests need every server in CI. Missing: ${what}`);
  process.stderr.write(`\n!!! LIVE TESTS SKIPPED for want of: ${what}\n\n`);
}
