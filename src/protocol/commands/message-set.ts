import { UsageError } from '../errors.ts';
import { splitSequenceSet } from '../sequence-set.ts';

/** Messages by UID or sequence number: ascending numbers, one number, or text such as `1:*`. */
export type MessageSet = string | number | ArrayLike<number>;

/** What one command can be given. */
export type MessageSetPart = string | ArrayLike<number>;

/** Longest sequence set in one command: servers bound a line at 8 KiB (RFC 7162 4), and there are items beside it. */
const maxSetBytes = 7_000;

/**
 * The set in parts that fit on a line each; none where it is empty.
 * @throws UsageError for what is no message number, and for numbers that do not ascend.
 */
export function splitMessageSet(set: MessageSet): MessageSetPart[] {
  if (typeof set === 'number') return splitMessageSet([set]);
  if (set.length === 0) return [];
  if (typeof set === 'string') return [set];
  return [...splitSequenceSet(set instanceof Uint32Array ? set : toUint32Array(set), maxSetBytes)];
}

function toUint32Array(numbers: ArrayLike<number>): Uint32Array {
  const copy = new Uint32Array(numbers.length);
  for (let index = 0; index < numbers.length; index++) {
    const number = numbers[index] as number;
    copy[index] = number;
    if (copy[index] !== number) throw new UsageError(`${number} is no message number`);
  }
  return copy;
}
