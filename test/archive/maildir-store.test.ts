import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openMaildirStore } from '../../src/archive/maildir-store.ts';
import { describeStore } from './store-contract.ts';

const plant = (root: string, _path: readonly string[], body: Buffer) => {
  writeFileSync(join(root, 'cur', '1563107405.4711_1.elsewhere:2,S'), body);
};

describeStore('Maildir++', openMaildirStore, { plant });
describeStore('Maildir in nested directories', openMaildirStore, { plant, options: { layout: 'fs' } });
