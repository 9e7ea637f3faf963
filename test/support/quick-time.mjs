/**
 * Preloaded into the command (`NODE_OPTIONS=--import=…`): time on its main thread passes ten times as fast. A target on this
 * machine is quiet after less than the ten seconds the command else waits before it takes a message for absent. Connections
 * live on other threads, and keep their time.
 */
import { isMainThread } from 'node:worker_threads';

const speed = 10;

if (isMainThread) {
  const now = performance.now.bind(performance);
  performance.now = () => now() * speed;
  const { setTimeout } = globalThis;
  globalThis.setTimeout = (callback, delayMs, ...rest) => setTimeout(callback, delayMs / speed, ...rest);
}
