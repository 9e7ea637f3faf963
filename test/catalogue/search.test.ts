import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { findMessages, parseQuery, summarizeTree, toSelection } from '../../src/catalogue/index.ts';
import { mail, type PlantedTree, useTree } from './fixtures.ts';

const html = [
  'Content-Type: text/html; charset=iso-8859-1',
  'Content-Transfer-Encoding: quoted-printable',
  'Subject: roof',
  '',
  '<p>Gr=FC=DFe vom <b>Dach</b></p>',
  '',
].join('\r\n');

const open = useTree({
  'INBOX/a.1.eml': mail({ Subject: 'Invoice', From: 'anna@example.org' }, 'the sum is due'),
  'INBOX/b.2.eml': mail({ Subject: 'Re: Invoice', From: 'bob@example.org' }, 'paid'),
  'INBOX/no uid.eml': mail({ Subject: 'Invoice of old' }),
  'Archive/2019/c.5.eml.gz': gzipSync(mail({ Subject: 'Invoice', From: 'anna@example.org' }, 'ｄｕｅ again')),
  'Archive/2019/d.4.eml': html,
  'Work/e.1.eml': mail({ Subject: 'Minutes' }),
});

async function search({ root }: PlantedTree, words: readonly string[], folder: string | null = null) {
  const found = [];
  const what = { query: parseQuery(words), folder };
  for await (const hits of findMessages({ format: null, path: root }, what)) found.push(toSelection(hits));
  return found;
}

describe('a search', () => {
  it('answers UIDs by folder, and files of what has no UID', async () => {
    expect(await search(await open(), ['invoice'])).toEqual([
      { path: ['Archive', '2019'], uids: [5], files: [] },
      { path: ['INBOX'], uids: [1, 2], files: ['INBOX/no uid.eml'] },
    ]);
  });

  it('takes all words together', async () => {
    expect(await search(await open(), ['from:anna', 'subject:invoice', 'text:due'])).toEqual([
      { path: ['Archive', '2019'], uids: [5], files: [] },
      { path: ['INBOX'], uids: [1], files: [] },
    ]);
  });

  it.each([['text:grüße'], ['text:GRUSSE VOM DACH'], ['text:dach']])(
    'reads bodies as people see them: %s',
    async (word) => {
      expect(await search(await open(), [word])).toEqual([{ path: ['Archive', '2019'], uids: [4], files: [] }]);
    },
  );

  it('does not take markup for text', async () => {
    expect(await search(await open(), ['text:<b>'])).toEqual([]);
  });

  it('reads only the bodies that may be it', async () => {
    const tree = await open();
    await search(tree, ['anna']);
    const { Catalogue } = await import('../../src/catalogue/catalogue.ts');
    await using catalogue = new Catalogue({ store: tree.store, stateDirectory: tree.place.stateDirectory });
    await catalogue.readFolder(['INBOX']);
    expect(tree.takeOpened()).toEqual([]);
  });

  it('can be for one folder, by its name with slashes', async () => {
    expect(await search(await open(), ['invoice'], 'Archive/2019')).toHaveLength(1);
    expect(await search(await open(), ['invoice'], 'inbox')).toMatchObject([{ path: ['INBOX'] }]);
    await expect(search(await open(), ['invoice'], 'Archive')).rejects.toThrow(/no folder Archive with messages/);
  });
});

describe('the summary of a tree', () => {
  it('counts messages and bytes by folder', async () => {
    const { root } = await open();
    const { format, folders } = await summarizeTree({ format: null, path: root });
    expect(format).toBe('eml');
    expect(folders.map(({ path, messages }) => [path.join('/'), messages])).toEqual([
      ['Archive/2019', 2],
      ['INBOX', 3],
      ['Work', 1],
    ]);
    expect(folders[2]?.bytes).toBe(mail({ Subject: 'Minutes' }).length);
  });
});
