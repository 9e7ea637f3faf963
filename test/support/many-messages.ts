import { createHash } from 'node:crypto';
import type { RecoveryParts } from '../../src/recovery.ts';
import type { FolderContents } from '../../src/worker/contract.ts';

const headerKeyBytes = 16;
const digestBytes = 32;

/**
 * What a lane would tell of a big folder, made up: UIDs from 1 on, `twins` neighbours of the same content, dates a second
 * apart. `reversed`: the last message has the first UID.
 */
export function manyMessages(count: number, options: { twins?: number; reversed?: boolean } = {}): FolderContents {
  const { twins = 1, reversed = false } = options;
  const columns = {
    uids: new Uint32Array(count),
    sizes: new Uint32Array(count),
    dates: new Float64Array(count),
    flags: new Uint32Array(count),
    headerKeys: new Uint8Array(count * headerKeyBytes),
    digests: new Uint8Array(count * digestBytes),
  };
  const outputLength = Math.ceil(count / twins) * digestBytes;
  const digests = createHash('shake256', { outputLength }).digest();
  for (let row = 0; row < count; row++) {
    const message = reversed ? count - 1 - row : row;
    const at = digestBytes * Math.floor(message / twins);
    columns.uids[row] = row + 1;
    columns.sizes[row] = 1_000 + (message % 50_000);
    columns.dates[row] = 1_000 * message;
    columns.flags[row] = message % 2;
    columns.headerKeys.set(digests.subarray(at, at + headerKeyBytes), row * headerKeyBytes);
    columns.digests.set(digests.subarray(at, at + digestBytes), row * digestBytes);
  }
  return { ...columns, flagSets: ['', '\\seen'], unreadable: new Uint32Array(), unlisted: 0, complete: true };
}

/** A lane that answers from such columns, whole folders or some messages, whose bodies it counts in `compared`. */
export class ColumnLane {
  readonly #sides: { readonly source: FolderContents; readonly target: FolderContents };
  compared = 0;

  constructor(source: FolderContents, target: FolderContents) {
    this.#sides = { source, target };
  }

  readonly inspect: RecoveryParts['lane']['inspect'] = async (_, { side, bodies, uids }) => {
    const contents = this.#sides[side];
    const digests = bodies ? contents.digests : null;
    if (uids === null) return { ...contents, digests };
    this.compared += bodies ? uids.length : 0;
    const bytesOf = (column: Uint8Array, width: number) => {
      const some = new Uint8Array(uids.length * width);
      for (const [index, uid] of uids.entries())
        some.set(column.subarray((uid - 1) * width, uid * width), index * width);
      return some;
    };
    return {
      ...contents,
      uids,
      sizes: uids.map((uid) => contents.sizes[uid - 1] ?? 0),
      dates: Float64Array.from(uids, (uid) => contents.dates[uid - 1] ?? Number.NaN),
      flags: uids.map((uid) => contents.flags[uid - 1] ?? 0),
      headerKeys: bytesOf(contents.headerKeys, headerKeyBytes),
      digests: digests === null ? null : bytesOf(digests, digestBytes),
    };
  };

  post(): void {}

  readonly expect: RecoveryParts['lane']['expect'] = () => Promise.reject(new Error('no other question is expected'));
}
