import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openEmlStore } from '../../src/archive/eml-store.ts';
import { describeStore } from './store-contract.ts';

const plant = (root: string, path: readonly string[], body: Buffer) => {
  writeFileSync(join(root, ...path, 'from a friend.eml'), body);
};

describeStore('eml files', openEmlStore, { plant });
describeStore('gzipped eml files', openEmlStore, { plant, options: { compress: 'gzip' } });
