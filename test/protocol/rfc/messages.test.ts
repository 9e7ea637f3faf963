import { describe } from 'vitest';
import { playDialogues } from '../../support/dialogue.ts';
import { selecting } from '../../support/scripted-session.ts';

describe('RFC 8514: SAVEDATE, RFC 8970: PREVIEW', () => {
  playDialogues([
    {
      name: 'when a message came into the folder, and how it begins',
      capabilities: 'SAVEDATE PREVIEW',
      transcript: `${selecting(9)}
        C: $A UID FETCH 1:3 (SAVEDATE PREVIEW (LAZY))
        S: * 1 FETCH (UID 1 SAVEDATE "03-Jan-2023 09:35:35 -0500" PREVIEW "Preview text!")
        S: * 2 FETCH (UID 2 SAVEDATE NIL PREVIEW NIL)
        S: * 3 FETCH (UID 3 FLAGS ())
        S: $A OK done`,
      run: async (client) => {
        await client.selectFolder('INBOX');
        const messages = await client.fetch('1:3', ['SAVEDATE', 'PREVIEW (LAZY)']);
        return [...messages.values()].map(({ uid, saveDate, preview }) => [
          uid,
          saveDate?.toISOString() ?? null,
          preview,
        ]);
      },
      result: [
        [1, '2023-01-03T14:35:35.000Z', 'Preview text!'],
        [2, null, null],
      ],
    },
  ]);
});

describe('Gmail', () => {
  playDialogues([
    {
      name: 'ids are bigints, labels Unicode',
      capabilities: 'X-GM-EXT-1',
      transcript: `${selecting(9)}
        C: $A UID FETCH 1 (X-GM-MSGID X-GM-THRID X-GM-LABELS)
        S: * 1 FETCH (X-GM-THRID 1266894439832287888 X-GM-MSGID 1278455344230334865 X-GM-LABELS (\\Inbox \\Sent Important "Muy Importante" &ZeVnLIqe-) UID 1)
        S: $A OK done`,
      run: async (client) => {
        await client.selectFolder('INBOX');
        return (await client.fetch(1, ['X-GM-MSGID', 'X-GM-THRID', 'X-GM-LABELS'])).get(1);
      },
      result: {
        seq: 1,
        uid: 1,
        gmailThreadId: 1266894439832287888n,
        gmailMessageId: 1278455344230334865n,
        gmailLabels: ['\\Inbox', '\\Sent', 'Important', 'Muy Importante', '日本語'],
      },
    },
  ]);
});
