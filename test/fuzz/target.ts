import { crc32 } from 'node:zlib';
import type { Arbitrary } from 'fast-check';
import { MigrateError } from '../../src/errors.ts';
import { ImapError } from '../../src/protocol/errors.ts';
import { cutAt, cutEvery } from '../support/chunking.ts';
import { Random } from '../support/corpus-messages.ts';

/** Something that reads bytes of strangers. An input is nothing but bytes, so that one that fails can be kept as a file. */
export interface FuzzTarget {
  /** Letters, digits and dashes: the names of kept inputs begin with it. */
  readonly name: string;
  /** Inputs as they should be; mutations start from them. */
  readonly corpus: readonly Buffer[];
  /** Pieces that mean something to the reader. */
  readonly words: readonly string[];
  /** Makes every other input, where it is there. */
  readonly arbitrary?: Arbitrary<Buffer>;
  /** Ends when all is well, be the input read or refused; throws when it is not. Depends on the input alone. */
  check(input: Buffer): void | Promise<void>;
}

/** A value, or the code of one of our errors. */
export type Outcome<Value> = { readonly value: Value } | { readonly error: string };

/** The outcome of a call. Rethrows an error that is none of the library's own classes. */
export function outcomeOf<Value>(call: () => Value): Outcome<Value> {
  try {
    return { value: call() };
  } catch (error) {
    return { error: codeOf(error) };
  }
}

/** The code of one of our errors; throws any other. */
export function codeOf(error: unknown): string {
  if (error instanceof ImapError || error instanceof MigrateError) return error.code;
  throw error;
}

/** A text is cut byte by byte up to here: above, that takes longer than many more inputs. */
const maxBytewise = 2000;

/** Ways in which the bytes may arrive besides whole: always the same ones for the same bytes. */
export function* someChunkings(bytes: Buffer): Generator<readonly Buffer[]> {
  if (bytes.length <= maxBytewise) yield cutEvery(bytes, 1);
  const random = randomOf(bytes);
  for (const cuts of [1, 2, 5]) yield cutAt(bytes, places(random, bytes, cuts));
}

/** Numbers that only depend on the bytes. */
export function randomOf(bytes: Buffer): Random {
  return new Random(crc32(bytes));
}

function places(random: Random, bytes: Buffer, count: number): number[] {
  return Array.from({ length: count }, () => random.below(bytes.length + 1));
}
