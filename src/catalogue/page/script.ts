/**
 * The script of `index.html`, as it stands in the page. Whatever comes out of messages becomes text of an element, or the
 * address of a link that is put together of encoded pieces: nothing of it is ever read as markup or code.
 */
export const pageScript = String.raw`
'use strict';
(() => {
  const byId = (id) => document.getElementById(id);
  const element = byId('data');
  const data = JSON.parse(element.textContent);
  element.remove();
  const { folders, people, dirs, rows } = data;
  const total = rows.subject.length;
  const folderOf = new Uint32Array(total);
  folders.forEach((folder, index) => folderOf.fill(index, folder.first, folder.first + folder.count));

  // What steers direction across a line, or is not seen, is taken out of what is shown.
  const unseen = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g;
  const show = (text) => text.replace(unseen, ' ');
  const ascii = /^[\x20-\x7e]*$/;
  const fold = (text) => {
    const lower = text.toLowerCase();
    if (ascii.test(lower)) return lower;
    return lower.normalize('NFKD').replace(/[\u0300-\u036f]+/g, '').replaceAll('ß', 'ss').replace(/\s+/g, ' ');
  };
  const nameOf = (person) => person.replace(/ <[^<>]*>(?=, |$)/g, '');
  const filesOf = (row) => rows.files[row] || [];
  const twoDigits = (number) => String(number).padStart(2, '0');
  const dateText = (seconds) => {
    if (seconds === null) return '';
    const date = new Date(seconds * 1000);
    return date.getFullYear() + '-' + twoDigits(date.getMonth() + 1) + '-' + twoDigits(date.getDate()) + ' ' +
      twoDigits(date.getHours()) + ':' + twoDigits(date.getMinutes());
  };
  const sizeText = (bytes) => {
    const units = ['B', 'kB', 'MB', 'GB'];
    let unit = 0;
    let value = bytes;
    while (value >= 999.5 && unit < 3) { value /= 1000; unit++; }
    return (unit === 0 || value >= 9.95 ? value.toFixed(0) : value.toFixed(1)) + ' ' + units[unit];
  };
  const countText = (count) => count.toLocaleString('en');
  // Half a character, which some file systems allow in names, has no place in an address.
  const encode = (segment) => encodeURIComponent(segment.replace(/\p{Cs}/gu, '\ufffd'));
  const linkTo = (row) => (dirs[rows.dir[row]] + rows.name[row]).split('/').map(encode).join('/');

  // Texts to search and to sort by are made when they are first needed.
  const lazily = (make) => { let made; return () => (made === undefined ? (made = make()) : made); };
  const foldedPeople = lazily(() => people.map(fold));
  const foldedSubjects = lazily(() => rows.subject.map(fold));
  const foldedFiles = lazily(() => {
    const folded = new Map();
    for (const row of Object.keys(rows.files)) folded.set(Number(row), fold(rows.files[row].join('\n')));
    return folded;
  });

  const rankOf = (texts) => {
    const order = Array.from(texts.keys()).sort((a, b) => (texts[a] < texts[b] ? -1 : texts[a] > texts[b] ? 1 : 0));
    const ranks = new Uint32Array(texts.length);
    let rank = 0;
    order.forEach((at, index) => {
      if (index > 0 && texts[at] !== texts[order[index - 1]]) rank++;
      ranks[at] = rank;
    });
    return ranks;
  };
  const keys = {
    from: () => { const ranks = rankOf(foldedPeople()); return Float64Array.from(rows.from, (person) => ranks[person]); },
    subject: () => Float64Array.from(rankOf(foldedSubjects().map((text) => text.replace(/^(?:(?:re|aw|fwd?|wg|sv)\s*:\s*)+/, '')))),
    files: () => {
      const folded = foldedFiles();
      const all = Array.from(folded.keys());
      const ranks = rankOf(all.map((row) => folded.get(row)));
      const key = new Float64Array(total).fill(all.length);
      all.forEach((row, index) => { key[row] = ranks[index]; });
      return key;
    },
    date: () => Float64Array.from(rows.date, (seconds) => (seconds === null ? -Infinity : seconds)),
    size: () => Float64Array.from(rows.size),
  };
  const keyOf = Object.fromEntries(Object.keys(keys).map((name) => [name, lazily(keys[name])]));
  const orders = new Map();
  const orderBy = (name) => {
    let order = orders.get(name);
    if (order === undefined) {
      const key = keyOf[name]();
      const dates = keyOf.date();
      order = Uint32Array.from({ length: total }, (_, row) => row);
      order.sort((a, b) => key[a] - key[b] || dates[b] - dates[a] || a - b);
      orders.set(name, order);
    }
    return order;
  };

  const state = { folder: -1, query: '', sort: 'date', down: true, active: -1 };
  let shown = new Uint32Array(0);

  const wordsOf = (query) => {
    const words = [];
    for (const [, field, quoted, plain] of query.matchAll(/(?:\b(from|to|subject|file):)?(?:"([^"]*)"?|(\S+))/gi)) {
      const text = fold(quoted === undefined ? plain : quoted);
      if (text !== '') words.push({ field: field === undefined ? null : field.toLowerCase(), text, span: spanOf(text) });
    }
    return words;
  };
  // 2024, 2024-03 and 2024-03-01 mean the time as well as the text.
  const spanOf = (text) => {
    const match = /^(\d{4})(?:-(\d\d)(?:-(\d\d))?)?$/.exec(text);
    if (match === null) return null;
    const [year, month, day] = [Number(match[1]), Number(match[2] || 1) - 1, Number(match[3] || 1)];
    const end = match[3] ? new Date(year, month, day + 1) : match[2] ? new Date(year, month + 1, 1) : new Date(year + 1, 0, 1);
    return [new Date(year, month, day) / 1000, end / 1000];
  };
  /* For each word one look at every person there is, and one at the rest of each message that is still wanted. */
  const matching = (query) => {
    const words = wordsOf(query);
    if (words.length === 0) return null;
    const wanted = new Uint8Array(total).fill(1);
    for (const { field, text, span } of words) {
      const inPeople = Uint8Array.from(foldedPeople(), (person) => (person.includes(text) ? 1 : 0));
      const subjects = foldedSubjects();
      const files = foldedFiles();
      for (let row = 0; row < total; row++) {
        if (wanted[row] === 0) continue;
        const found =
          ((field === null || field === 'from') && inPeople[rows.from[row]] === 1) ||
          ((field === null || field === 'to') && inPeople[rows.to[row]] === 1) ||
          ((field === null || field === 'subject') && subjects[row].includes(text)) ||
          ((field === null || field === 'file') && files.has(row) && files.get(row).includes(text)) ||
          (field === null && span !== null && rows.date[row] !== null && rows.date[row] >= span[0] && rows.date[row] < span[1]);
        if (!found) wanted[row] = 0;
      }
    }
    return wanted;
  };

  const list = byId('list');
  const space = byId('space');
  const pool = [];
  // A browser draws no element higher than some millions of pixels: beyond this the bar moves faster than the rows.
  const maxHeight = 10000000;
  let rowHeight = 40;

  const contents = new WeakMap();
  const makeRow = () => {
    const link = document.createElement('a');
    link.className = 'row columns';
    link.setAttribute('role', 'option');
    link.tabIndex = -1;
    link.target = '_blank';
    link.rel = 'noopener noreferrer';
    const cells = {};
    for (const name of ['from', 'subject', 'files', 'date', 'size']) {
      cells[name] = document.createElement('span');
      cells[name].className = name;
      if (name !== 'date' && name !== 'size') cells[name].dir = 'auto';
      link.append(cells[name]);
    }
    link.addEventListener('click', (event) => {
      const at = contents.get(link).at;
      activate(at);
      if (!link.hasAttribute('href')) { event.preventDefault(); explain(shown[at]); }
    });
    space.append(link);
    contents.set(link, { cells, row: -1, at: -1 });
    return link;
  };
  const setText = (cell, text, fallback) => {
    cell.textContent = text === '' ? fallback : text;
    cell.classList.toggle('none', text === '' && fallback !== '');
  };
  const fillRow = (link, row) => {
    const { cells } = contents.get(link);
    const person = show(people[rows.from[row]]);
    const files = filesOf(row).map(show);
    const problem = rows.unreadable.has(row) ? 'unreadable' : rows.compressed.has(row) ? 'compressed' : '';
    setText(cells.from, nameOf(person), '(no sender)');
    setText(cells.subject, show(rows.subject[row]), '(no subject)');
    setText(cells.files, files.join(', '), '');
    cells.date.textContent = dateText(rows.date[row]);
    cells.size.textContent = sizeText(rows.size[row]);
    cells.subject.dataset.kind = problem;
    link.classList.toggle('closed', problem !== '');
    if (problem === '') link.href = linkTo(row); else link.removeAttribute('href');
    const lines = [['From', person], ['To', show(people[rows.to[row]])], ['Subject', show(rows.subject[row])],
      ['Date', dateText(rows.date[row])], ['Files', files.join(', ')], ['Folder', show(folders[folderOf[row]].name.join(' / '))]];
    link.title = lines.filter(([, text]) => text !== '').map(([name, text]) => name + ': ' + text).join('\n');
  };
  const layout = () => {
    const height = Math.min(shown.length * rowHeight, maxHeight);
    const view = list.clientHeight;
    const most = Math.max(1, height - view);
    const real = Math.max(0, shown.length * rowHeight - view);
    // Where in all rows the upper edge of the view is, in pixels.
    const top = height < shown.length * rowHeight ? (Math.min(list.scrollTop, most) / most) * real : list.scrollTop;
    return { height, view, top, most, real };
  };
  const draw = () => {
    const { height, view, top } = layout();
    space.style.height = height + 'px';
    const first = Math.max(0, Math.floor(top / rowHeight) - 4);
    const last = Math.min(shown.length, Math.ceil((top + view) / rowHeight) + 4);
    while (pool.length < last - first) pool.push(makeRow());
    pool.forEach((link, index) => {
      const at = first + index;
      link.hidden = at >= last;
      if (link.hidden) return;
      const content = contents.get(link);
      const row = shown[at];
      if (content.row !== row) fillRow(link, row);
      content.row = row;
      content.at = at;
      link.id = 'row-' + at;
      link.style.transform = 'translateY(' + (at * rowHeight - top + list.scrollTop) + 'px)';
      link.setAttribute('aria-posinset', at + 1);
      link.setAttribute('aria-setsize', shown.length);
      const isActive = at === state.active;
      link.classList.toggle('active', isActive);
      link.setAttribute('aria-selected', isActive);
    });
    if (state.active === -1) list.removeAttribute('aria-activedescendant');
    else list.setAttribute('aria-activedescendant', 'row-' + state.active);
  };
  let drawing = false;
  const drawSoon = () => {
    if (drawing) return;
    drawing = true;
    requestAnimationFrame(() => { drawing = false; draw(); });
  };

  const activate = (at) => {
    state.active = Math.max(-1, Math.min(shown.length - 1, at));
    if (state.active >= 0) {
      const { view, top, most, real, height } = layout();
      const wanted = Math.min(Math.max(top, (state.active + 1) * rowHeight - view), state.active * rowHeight);
      if (wanted !== top) list.scrollTop = height < shown.length * rowHeight ? (wanted / Math.max(1, real)) * most : wanted;
    }
    draw();
  };
  let noticeTimer;
  const notice = (text) => {
    byId('notice').textContent = text;
    byId('notice').hidden = false;
    clearTimeout(noticeTimer);
    noticeTimer = setTimeout(() => { byId('notice').hidden = true; }, 9000);
  };
  const explain = (row) => {
    const file = show(dirs[rows.dir[row]] + rows.name[row]);
    notice(rows.unreadable.has(row)
      ? 'This file could not be read when the page was made: ' + file
      : 'Stored compressed: ' + file + '. To open such messages from here, run: imap-migrate index --expand PATH');
  };

  const buttons = new Map();
  const update = () => {
    const wanted = matching(state.query);
    const order = orderBy(state.sort);
    const found = new Uint32Array(total);
    const counts = new Uint32Array(folders.length);
    let length = 0;
    for (let index = 0; index < total; index++) {
      const row = order[state.down ? total - 1 - index : index];
      if (wanted !== null && wanted[row] === 0) continue;
      counts[folderOf[row]]++;
      if (state.folder === -1 || folderOf[row] === state.folder) found[length++] = row;
    }
    shown = found.slice(0, length);
    state.active = -1;
    list.scrollTop = 0;
    const all = state.folder === -1 ? total : folders[state.folder].count;
    byId('count').textContent = length === all ? countText(all) + (all === 1 ? ' message' : ' messages')
      : countText(length) + ' of ' + countText(all);
    byId('nothing').hidden = length > 0;
    byId('nothing').textContent = state.query === '' ? 'No messages here.' : 'Nothing found for “' + show(state.query) + '”.';
    for (const [index, button] of buttons) {
      button.setAttribute('aria-current', index === state.folder);
      const count = index === -1 ? counts.reduce((sum, each) => sum + each, 0) : counts[index];
      button.lastChild.textContent = countText(count);
    }
    byId('choice').value = String(state.folder);
    for (const head of document.querySelectorAll('#heads button')) {
      const isOn = head.dataset.sort === state.sort;
      head.setAttribute('aria-pressed', isOn);
      head.lastChild.textContent = isOn ? (state.down ? '↓' : '↑') : '';
    }
    draw();
    remember();
  };
  const remember = () => {
    const parts = new URLSearchParams();
    if (state.query !== '') parts.set('q', state.query);
    if (state.folder !== -1) parts.set('f', String(state.folder));
    if (state.sort !== 'date' || !state.down) parts.set('s', state.sort + (state.down ? '-' : ''));
    const text = parts.toString();
    history.replaceState(null, '', text === '' ? location.pathname : '#' + text);
  };
  const recall = () => {
    const parts = new URLSearchParams(location.hash.slice(1));
    state.query = parts.get('q') || '';
    const folder = Number(parts.get('f') || -1);
    state.folder = Number.isInteger(folder) && folder >= 0 && folder < folders.length ? folder : -1;
    const [, sort, down] = /^([a-z]+)(-?)$/.exec(parts.get('s') || 'date-') || [];
    if (Object.hasOwn(keys, sort)) { state.sort = sort; state.down = down === '-'; }
    byId('search').value = state.query;
  };

  const chooseFolder = (index) => { state.folder = index; update(); };
  const addFolder = (index, name, level, holds) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'level-' + Math.min(level, 4);
    const label = document.createElement('span');
    label.className = 'name';
    label.dir = 'auto';
    label.textContent = name;
    const number = document.createElement('span');
    number.className = 'number';
    button.append(label, number);
    byId('folders').append(button);
    if (!holds) { button.dataset.empty = ''; button.disabled = true; return; }
    button.addEventListener('click', () => chooseFolder(index));
    buttons.set(index, button);
    const option = document.createElement('option');
    option.value = String(index);
    option.textContent = '\u2003'.repeat(level) + name;
    byId('choice').append(option);
  };
  addFolder(-1, 'All mail', 0, true);
  let above = [];
  folders.forEach(({ name }, index) => {
    const path = name.map(show);
    // Folders that hold no messages are there for those below them.
    let common = 0;
    while (common < path.length - 1 && above[common] === path[common]) common++;
    for (let level = common; level < path.length - 1; level++) addFolder(-2, path[level], level, false);
    addFolder(index, path[path.length - 1], path.length - 1, true);
    above = path;
  });
  byId('choice').addEventListener('change', (event) => chooseFolder(Number(event.target.value)));
  for (const head of document.querySelectorAll('#heads button')) {
    head.addEventListener('click', () => {
      const { sort } = head.dataset;
      const isTime = sort === 'date' || sort === 'size';
      state.down = state.sort === sort ? !state.down : isTime;
      state.sort = sort;
      update();
    });
  }
  byId('search').addEventListener('input', (event) => { state.query = event.target.value.trim(); update(); });
  list.addEventListener('scroll', drawSoon, { passive: true });

  const open = () => {
    const link = pool.find((each) => !each.hidden && contents.get(each).at === state.active);
    if (link !== undefined) link.click();
  };
  document.addEventListener('keydown', (event) => {
    const { target, key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const inSearch = target === byId('search');
    if (key === '/' && !inSearch) { event.preventDefault(); byId('search').focus(); byId('search').select(); return; }
    if (key === 'Escape' && inSearch) { byId('search').value = ''; state.query = ''; update(); return; }
    if (target.tagName === 'SELECT' || (target.tagName === 'BUTTON' && (key === 'Enter' || key === ' '))) return;
    const page = Math.max(1, Math.floor(list.clientHeight / rowHeight) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page };
    if (Object.hasOwn(steps, key)) {
      event.preventDefault();
      list.focus({ preventScroll: true });
      activate(Math.max(0, state.active + steps[key]));
    } else if ((key === 'Home' || key === 'End') && !inSearch) {
      event.preventDefault();
      list.focus({ preventScroll: true });
      activate(key === 'Home' ? 0 : shown.length - 1);
    } else if (key === 'Enter' && !inSearch) {
      event.preventDefault();
      open();
    } else if (key === 'Enter' && shown.length > 0) {
      list.focus({ preventScroll: true });
      activate(0);
    }
  });
  const measure = () => {
    rowHeight = parseInt(getComputedStyle(document.documentElement).getPropertyValue('--row'), 10);
    // The bar beside the rows takes room that the titles above them have to leave.
    byId('heads').style.marginInlineEnd = list.offsetWidth - list.clientWidth + 'px';
    draw();
  };
  addEventListener('resize', measure);
  addEventListener('hashchange', () => { recall(); update(); });

  rows.unreadable = new Set(rows.unreadable);
  rows.compressed = new Set(rows.compressed);
  document.title = show(data.title);
  byId('title').textContent = show(data.title);
  byId('made').textContent = 'Made ' + dateText(data.made) + ' by imap-migrate. Messages open as the files beside this page.';
  recall();
  measure();
  update();
  document.documentElement.dataset.ready = 'true';
  // The first key stroke need not wait for what can be made now.
  setTimeout(() => { foldedPeople(); foldedSubjects(); foldedFiles(); }, 200);
})();
`;
