import { openMboxStore } from '../../src/archive/mbox-store.ts';
import { describeStore } from './store-contract.ts';

describeStore('mbox', openMboxStore);
