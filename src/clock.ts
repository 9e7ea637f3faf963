export { systemClock } from './protocol/clock.ts';
export type { Cancel, Clock } from './protocol/types.ts';
