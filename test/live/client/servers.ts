/** The servers the client is tried on, and what each of them is known to offer. */
import { RawImap } from '../../support/imap-raw.ts';
import {
  accessTo,
  cyrusAdmin,
  type ServerInstance,
  startCourier,
  startCyrus,
  startDovecot,
  startImap4d,
} from '../../support/servers/index.ts';
import { availableServers } from '../harness.ts';
import type { ServerTraits } from './scene.ts';

export interface TestedServer {
  readonly name: string;
  readonly missing: boolean;
  readonly traits: ServerTraits;
  /** With a quota of 10 MiB for the first user, where the server has quotas of that kind. */
  start(): Promise<ServerInstance>;
}

const available = availableServers();

const words = (text: string) => text.trim().split(/\s+/);

/** What both of the rich ones have. */
const rich = words(`
  ACL BINARY CHILDREN CONDSTORE ENABLE ESEARCH ID IDLE LIST-EXTENDED LIST-STATUS LITERAL+ METADATA MOVE MULTIAPPEND NAMESPACE
  PREVIEW QRESYNC QUOTA SAVEDATE SORT SPECIAL-USE STATUS=SIZE THREAD=REFERENCES UIDPLUS UNSELECT`);

const dovecotExtras = `
mail_attribute_dict = file:%h/attributes
protocol imap {
  mail_plugins = quota imap_quota acl imap_acl
  imap_metadata = yes
}
plugin {
  acl = vfile
}
`;

export const testedServers: readonly TestedServer[] = [
  {
    name: 'Dovecot',
    missing: !available.dovecot,
    traits: {
      offers: [...rich, ...words('NOTIFY SEARCHRES')],
      prefix: '',
      delimiter: '/',
      exactBytes: true,
      keywords: true,
      quotaKiB: 10_240,
    },
    start: () => startDovecot({ createSpecialUse: true, quota: '10M', extraConfig: dovecotExtras }),
  },
  {
    name: 'Cyrus',
    missing: available.cyrusRoot === null,
    traits: {
      offers: [...rich, ...words('CREATE-SPECIAL-USE LIST-MYRIGHTS OBJECTID')],
      prefix: '',
      delimiter: '/',
      exactBytes: true,
      keywords: true,
      quotaKiB: 10_240,
    },
    async start() {
      const server = await startCyrus(available.cyrusRoot ?? '');
      // Its INBOX comes into being at the first login.
      await using first = await RawImap.open(accessTo(server));
      await first.command('NOOP');
      await using admin = await RawImap.open(accessTo(server, cyrusAdmin));
      await admin.command(`SETQUOTA user/${server.users[0]} (STORAGE 10240)`);
      return server;
    },
  },
  {
    name: 'Courier',
    missing: available.courierRoot === null,
    traits: {
      offers: words('ACL CHILDREN ENABLE IDLE NAMESPACE QUOTA SORT THREAD=REFERENCES UIDPLUS'),
      prefix: 'INBOX.',
      delimiter: '.',
      exactBytes: true,
      keywords: true,
      quotaKiB: null,
    },
    start: () => startCourier(available.courierRoot ?? ''),
  },
  {
    name: 'imap4d',
    missing: available.imap4dRoot === null,
    traits: {
      offers: words('ID IDLE LITERAL+ NAMESPACE UNSELECT'),
      prefix: '',
      delimiter: '/',
      exactBytes: false,
      keywords: false,
      quotaKiB: null,
    },
    start: () => startImap4d(available.imap4dRoot ?? ''),
  },
];
