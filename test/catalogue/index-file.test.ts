import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { indexTree } from '../../src/catalogue/index.ts';
import { encodeData, type PageData } from '../../src/catalogue/page/page.ts';
import { pageScript } from '../../src/catalogue/page/script.ts';
import { pageStyle } from '../../src/catalogue/page/style.ts';
import { mail, useTree } from './fixtures.ts';

const now = new Date(Date.UTC(2026, 10, 20));

const open = useTree({
  'INBOX/a.1.eml': mail({ Subject: '</script><img src=x onerror=alert(1)>', From: 'A <a@example.org>' }),
  'Archive/b.2.eml.gz': gzipSync(mail({ Subject: 'stored small' })),
  'Archive/broken.3.eml.gz': 'not gzip',
});

const write = (root: string, expand = false) => indexTree({ format: null, path: root }, { expand, now });

function dataOf(root: string): PageData {
  const page = readFileSync(join(root, 'index.html'), 'utf8');
  return JSON.parse(/<script type="application\/json" id="data">(.*?)<\/script>/s.exec(page)?.[1] ?? '');
}

describe('index.html', () => {
  it('lists every message, the inbox first, and says what cannot be opened', async () => {
    const { root } = await open();
    const written = await write(root);
    expect(written).toEqual({
      file: join(root, 'index.html'),
      bytes: statSync(join(root, 'index.html')).size,
      folders: 2,
      messages: 3,
      unreadable: 1,
      compressed: 1,
    });
    const { folders, rows, people, dirs } = dataOf(root);
    expect(folders.map(({ name }) => name)).toEqual([['INBOX'], ['Archive']]);
    expect(rows.subject).toEqual(['</script><img src=x onerror=alert(1)>', 'stored small', '']);
    expect(people[rows.from[0] ?? -1]).toBe('A <a@example.org>');
    expect([rows.compressed, rows.unreadable]).toEqual([[1], [2]]);
    expect(dirs[rows.dir[0] ?? -1]).toBe('INBOX/');
  });

  it('is for its owner only, and replaced as a whole', async () => {
    const { root } = await open();
    await write(root);
    await write(root);
    expect(statSync(join(root, 'index.html')).mode & 0o777).toBe(0o600);
    expect(readdirSync(root).filter((name) => name.includes('index'))).toEqual(['index.html']);
  });

  it('does not write through a link', async () => {
    const { root } = await open();
    const elsewhere = join(root, 'INBOX', 'a.1.eml');
    const before = readFileSync(elsewhere, 'utf8');
    symlinkSync(elsewhere, join(root, 'index.html'));
    await write(root);
    expect(readFileSync(elsewhere, 'utf8')).toBe(before);
    expect(dataOf(root).rows.subject).toHaveLength(3);
  });

  it('has copies of compressed messages where they are asked for, and only of those there are', async () => {
    const { root } = await open();
    expect((await write(root, true)).compressed).toBe(0);
    const { rows, dirs } = dataOf(root);
    const file = join(root, `${dirs[rows.dir[1] ?? -1]}${rows.name[1]}`);
    expect(file).toBe(join(root, '.imap-migrate', 'index-files', 'Archive', 'b.2.eml'));
    expect(readFileSync(file, 'utf8')).toBe(mail({ Subject: 'stored small' }));
    unlinkSync(join(root, 'Archive/b.2.eml.gz'));
    await write(root, true);
    expect(existsSync(file)).toBe(false);
  });

  it('makes no copy outside of the tree', async () => {
    const { root, plant } = await open();
    const outside = join(root, 'outside');
    mkdirSync(outside);
    plant({ '.imap-migrate/index-files/keep': '' });
    symlinkSync(outside, join(root, '.imap-migrate', 'index-files', 'Archive'));
    await expect(write(root, true)).rejects.toThrow(/is no directory/);
    expect(readdirSync(outside)).toEqual([]);
  });
});

describe('the page of an mbox tree', () => {
  it('is refused, with what to do instead', async () => {
    const { root, plant } = await open();
    plant({ 'mbox/INBOX.mbox': 'From - Mon Jan  1 00:00:00 2024\nSubject: x\n\ny\n' });
    await expect(write(join(root, 'mbox'))).rejects.toThrow(/messages share a file.*search, or export/);
  });
});

describe('the page itself', () => {
  it('has a script and a style that end where they end', () => {
    expect(pageScript).not.toMatch(/<\/script|<!--|<script/i);
    expect(pageStyle).not.toMatch(/<\/style/i);
    expect(pageScript).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function/);
  });

  it('has one encoder, which leaves nothing that could be markup and loses nothing', () => {
    const texts = ['</script>', '<!--', '<script>', ']]>', '\u2028', '"', "'", '&lt;', '\ud800', '\0'];
    const data = { people: texts } as unknown as PageData;
    expect(encodeData(data)).not.toContain('<');
    expect(JSON.parse(encodeData(data))).toEqual({ people: texts });
  });
});
