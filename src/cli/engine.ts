/**
 * The engine the command runs on. Each part is loaded when it is first used: `--help` needs none of them.
 */
import type { JobEvent } from '../job.ts';
import type { Engine } from './io.ts';

export const engine: Engine = {
  async loadAccount(file, options) {
    const { loadAccount } = await import('../config.ts');
    return loadAccount(file, { allowReadableSecrets: options.allowReadableSecrets });
  },
  async findTree(reference, options) {
    const { findTree } = await import('../archive/tree.ts');
    return findTree(reference, options);
  },
  async migrate(settings, hooks) {
    const { migrate } = await import('../coordinator.ts');
    return migrate(settings, { ...hooks, onEvent: optimizingThen(hooks.onEvent) });
  },
  async verify(settings, hooks) {
    const { verify } = await import('../verify.ts');
    return verify(settings, { ...hooks, onEvent: optimizingThen(hooks.onEvent) });
  },
  async verifyTree(tree, hooks) {
    const { verifyTree } = await import('../tree-verify.ts');
    return verifyTree(tree, hooks);
  },
  async checkAccount(account, hooks) {
    const { checkAccount } = await import('../check.ts');
    return checkAccount(account, hooks);
  },
  async openAccount(account) {
    const { openAccount } = await import('../open-account.ts');
    return openAccount(account);
  },
  async readJournalStatus(stateDir) {
    const { readJournalStatus } = await import('../journal-status.ts');
    return readJournalStatus(stateDir);
  },
  async parseQuery(words) {
    const { parseQuery } = await import('../catalogue/index.ts');
    return parseQuery(words);
  },
  async summarizeTree(reference) {
    const { summarizeTree } = await import('../catalogue/index.ts');
    return summarizeTree(reference);
  },
  async *findMessages(reference, what, hooks) {
    const { findMessages } = await import('../catalogue/index.ts');
    yield* findMessages(reference, what, hooks);
  },
  async indexTree(reference, options, hooks) {
    const { indexTree } = await import('../catalogue/index.ts');
    return indexTree(reference, options, hooks);
  },
  async openDemo() {
    const { openDemoServers } = await import('./demo-servers.ts');
    return openDemoServers();
  },
};

/** By the time a job has something to tell, everything has been loaded. */
function optimizingThen(onEvent: (event: JobEvent) => void): (event: JobEvent) => void {
  let isSet = false;
  return (event) => {
    if (!isSet) void import('./optimizing.ts').then(({ optimizeLater }) => optimizeLater(process.versions.v8));
    isSet = true;
    onEvent(event);
  };
}
