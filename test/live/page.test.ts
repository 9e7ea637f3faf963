/** `index`, `list` and `search` by the real command, and the page they write in a real browser. */
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { Chromium } from '../support/chromium.ts';
import { availableServers, runCommand } from './harness.ts';

const { chromium } = availableServers();

const hostile = [
  '</script><img src=x onerror="document.title=1">',
  '"><svg onload=document.title=1>',
  "'-alert(1)-'",
  '<!--<script>',
  '\u202egnp.exe\u202c',
  '&lt;b&gt;',
  'javascript:alert(1)',
];
const foreign = [
  '会議の議事録',
  'اجتماع يوم الثلاثاء',
  'סיכום פגישה',
  'Счёт за услуги',
  '회의 안건',
  'Réunion d’équipe',
];

/** Files as every tree may have them: each opens by its link. */
const oddNames = [
  '100% sure.eml',
  'a#b?c.eml',
  `it's "quoted".eml`,
  'späte Grüße 東京.eml',
  'plus+and&=.eml',
  '%41.eml',
];

function message(subject: string, index: number): string {
  const word = `=?utf-8?B?${Buffer.from(subject).toString('base64')}?=`;
  const date = new Date(Date.UTC(2020, 0, 1 + index, 12)).toUTCString();
  const from = `From: =?utf-8?B?${Buffer.from(index % 2 === 0 ? 'Zoë' : 'أحمد').toString('base64')}?= <p${index}@example.org>`;
  const head = [from, 'To: <me@example.net>', `Subject: ${word}`, `Date: ${date}`, 'MIME-Version: 1.0'];
  const file = `Content-Disposition: attachment; filename*=utf-8''${encodeURIComponent(`${hostile[0]}.pdf`)}`;
  const parts = ['Content-Type: multipart/mixed; boundary=b', '', '--b', '', 'text', '--b', file, '', 'x', '--b--', ''];
  return [...head, ...(index === 0 ? parts : ['', `body ${index}`, ''])].join('\r\n');
}

const subjects = [...hostile, ...foreign, ...oddNames];

function plant(root: string, file: string, text: string | Buffer): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}

/** A tree of its own for the caller, with a message for each subject. */
function plantTree(): string {
  const root = mkdtempSync(join(inject('workDir'), 'tree-'));
  const names = [...[...hostile, ...foreign].map((_, index) => `m.${index + 1}.eml`), ...oddNames];
  for (const [index, name] of names.entries())
    plant(root, `${index % 3 === 0 ? 'INBOX' : 'Work%23/<b>'}/${name}`, message(subjects[index] ?? '', index));
  return root;
}

describe('the archive commands', () => {
  test('survive what is made to break parsers, and find it by its fields', async () => {
    const root = plantTree();
    const boundary = (level: number) => `Content-Type: multipart/mixed; boundary=b${level}\r\n\r\n--b${level}\r\n`;
    plant(
      root,
      'bad/bomb.eml',
      `Subject: bomb\r\n${Array.from({ length: 20_000 }, (_, level) => boundary(level)).join('')}`,
    );
    plant(root, 'bad/line.eml', `Subject: line\r\nX: ${'x'.repeat(200_000)}\r\n\r\n${'y'.repeat(200_000)}`);
    const part = '--b\r\nContent-Disposition: attachment; filename=x\r\n\r\nx\r\n';
    plant(root, 'bad/parts.eml', `Subject: parts\r\n${boundary(0).replaceAll('b0', 'b')}${part.repeat(10_000)}`);
    plant(root, 'bad/charset.eml', 'Subject: =?x-none?B?////?= =?utf-8?Q?=FF=FE?= charset\r\n\r\n');
    plant(root, 'bad/to.eml', `Subject: to\r\nTo: ${'"'.repeat(5_000)}${'<('.repeat(5_000)}\r\n\r\n`);
    plant(root, 'bad/nul.eml', Buffer.from('Subject: nul \0 byte\r\n\0\0\r\n\r\n'));
    const indexed = await runCommand(['index', root, '--json']);
    expect(indexed.exitCode, indexed.stderr).toBe(0);
    const page = indexed.events.find(({ event }) => event === 'indexed');
    expect(page?.index).toMatchObject({ messages: subjects.length + 6, unreadable: 0 });
    const found = await runCommand(['search', root, 'subject:parts', '--json']);
    expect(found.exitCode).toBe(0);
    expect(found.events.find(({ event }) => event === 'message')?.mail).toMatchObject({
      state: 'cut',
      file: 'bad/parts.eml',
    });
    expect((await runCommand(['search', root, 'text:body 3'])).stdout).toContain(subjects[3] ?? '');
    expect((await runCommand(['search', root, 'nowhere'])).exitCode).toBe(3);
    const listed = await runCommand(['list', root, '--json']);
    expect(listed.events.filter(({ event }) => event === 'folder')).toHaveLength(3);
  });
});

describe.skipIf(chromium === null)('the page in a browser', () => {
  const root = plantTree();
  const page = pathToFileURL(join(root, 'index.html')).href;
  let browser: Chromium;

  beforeAll(async () => {
    const { exitCode, stderr } = await runCommand(['index', root]);
    expect(exitCode, stderr).toBe(0);
    browser = await Chromium.start(chromium ?? '');
    await browser.send('Emulation.setDeviceMetricsOverride', {
      width: 1280,
      height: 1400,
      deviceScaleFactor: 1,
      mobile: false,
    });
  });
  afterAll(() => browser?.[Symbol.asyncDispose]());

  const open = () => browser.open(page, `document.documentElement?.dataset.ready === 'true'`);
  const texts = (name: string) =>
    browser.evaluate<string[]>(
      `Array.from(document.querySelectorAll('.row:not([hidden])')).sort((a, b) => a.id.slice(4) - b.id.slice(4))
        .map((row) => row.querySelector('.${name}').textContent)`,
    );
  const type = (text: string) =>
    browser.evaluate(`(() => {
      const search = document.getElementById('search');
      search.value = ${JSON.stringify(text)};
      search.dispatchEvent(new Event('input'));
    })()`);

  test('shows every subject as it was written, and runs, loads and complains about nothing', async () => {
    browser.requests.length = 0;
    await open();
    const shown = subjects.map((subject) => subject.replaceAll(/[\u202e\u202c]/g, ' ')).reverse();
    expect(await texts('subject')).toEqual(shown);
    expect(await browser.evaluate('document.querySelectorAll("img, svg, iframe, b").length')).toBe(0);
    expect(await browser.evaluate('document.title')).toBe(root.split('/').at(-1));
    expect((await texts('files')).at(-1)).toBe(`${hostile[0]}.pdf`);
    expect(new Set(browser.requests)).toEqual(new Set([page]));
    expect(browser.complaints).toEqual([]);
  });

  test('would not run, apply or load what got into it by a mistake', async () => {
    await open();
    const markup = `<img src="file:///none.png" onerror="document.title='run'"><p style="color: red" onclick="document.title='run'">`;
    const color = await browser.evaluate(`(() => {
      document.body.insertAdjacentHTML('beforeend', ${JSON.stringify(markup)});
      document.querySelector('body > p:last-child').click();
      return getComputedStyle(document.querySelector('body > p:last-child')).color;
    })()`);
    await expect.poll(() => browser.complaints.length).toBeGreaterThanOrEqual(3);
    expect(browser.complaints.splice(0).join()).toMatch(/Content.?Security.?Policy/i);
    expect(color).not.toBe('rgb(255, 0, 0)');
    expect(await browser.evaluate('document.title')).not.toBe('run');
  });

  test('has links to files that are there', async () => {
    await open();
    const links = await browser.evaluate<string[]>(
      `Array.from(document.querySelectorAll('.row:not([hidden])'), (row) => row.href)`,
    );
    expect(links).toHaveLength(subjects.length);
    expect(links.filter((link) => !existsSync(fileURLToPath(link)))).toEqual([]);
  });

  test('finds by subject, sender, recipient, file and date, without case and accents, as keys are pressed', async () => {
    await open();
    await browser.key('/');
    for (const key of 'REUN') await browser.key(key);
    await browser.until(`document.getElementById('count').textContent.startsWith('1 of')`);
    expect(await texts('subject')).toEqual(['Réunion d’équipe']);
    const counts: Record<string, number> = {};
    for (const words of [
      '議事録',
      'from:zoe',
      'to:me@',
      'file:pdf',
      '2020-01-03',
      '"за услуги"',
      'zoe 2020-01-03',
      'nothing',
    ]) {
      await type(words);
      counts[words] = (await texts('subject')).length;
    }
    expect(counts).toEqual({
      議事録: 1,
      'from:zoe': Math.ceil(subjects.length / 2),
      'to:me@': subjects.length,
      'file:pdf': 1,
      '2020-01-03': 1,
      '"за услуги"': 1,
      'zoe 2020-01-03': 1,
      nothing: 0,
    });
    await browser.key('Escape');
    expect(await texts('subject')).toHaveLength(subjects.length);
  });

  test('sorts by each column, both ways', async () => {
    await open();
    const click = (name: string) => browser.evaluate(`document.querySelector('[data-sort=${name}]').click()`);
    for (const name of ['from', 'size', 'date']) {
      await click(name);
      const one = await texts(name);
      await click(name);
      const other = await texts(name);
      expect(other, name).toEqual(one.toReversed());
      expect(new Set(one).size, name).toBeGreaterThan(1);
    }
    await click('subject');
    expect((await texts('subject'))[0]).toBe('"><svg onload=document.title=1>');
    await click('files');
    expect((await texts('files'))[0]).toBe(`${hostile[0]}.pdf`);
  });

  test('shows one folder, and is worked with keys alone', async () => {
    await open();
    await browser.evaluate(`document.querySelectorAll('nav button:not(:disabled)')[1].click()`);
    const inInbox = Math.ceil(subjects.length / 3);
    expect(await texts('subject')).toHaveLength(inInbox);
    expect(await browser.evaluate(`document.querySelector('nav [aria-current=true] .name').textContent`)).toBe('INBOX');
    await browser.evaluate(`document.querySelector('nav button').click(); document.activeElement.blur()`);
    await browser.key('ArrowDown');
    await browser.key('ArrowDown');
    expect(await browser.evaluate(`document.querySelector('.row.active .subject').textContent`)).toBe(subjects.at(-2));
    await browser.key('End');
    expect(await browser.evaluate(`document.getElementById('list').getAttribute('aria-activedescendant')`)).toBe(
      `row-${subjects.length - 1}`,
    );
    await browser.evaluate(`document.querySelector('.row.active').addEventListener('click', (event) => {
      event.preventDefault();
      document.body.dataset.opened = event.currentTarget.href;
    })`);
    await browser.key('Enter');
    await browser.until(`document.body.dataset.opened?.endsWith('m.1.eml')`);
  });

  test('says what it cannot do without scripts', async () => {
    await browser.send('Emulation.setScriptExecutionDisabled', { value: true });
    await browser.send('Page.navigate', { url: page });
    const note = async () => {
      const { root: tree } = await browser.send('DOM.getDocument');
      const { nodeId } = tree as { readonly nodeId: number };
      const { nodeId: found } = await browser.send('DOM.querySelector', { nodeId, selector: 'noscript p' });
      return found;
    };
    await expect.poll(note).not.toBe(0);
    await browser.send('Emulation.setScriptExecutionDisabled', { value: false });
  });
});
