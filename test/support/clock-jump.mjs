/**
 * Preloaded into the command: the wall clock, on every thread, is a few years off, another way each time that it is read.
 * Time that passes (`performance.now`, timers) stays what it is.
 */
const maxOffsetMs = 5 * 365 * 24 * 3600_000;
const RealDate = Date;
const now = () => RealDate.now() + Math.round((Math.random() * 2 - 1) * maxOffsetMs);

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args) => (args.length === 0 ? new target(now()) : new target(...args)),
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
});
