/**
 * `index.html`: one page with everything in it. A browser that honours the policy runs and applies nothing but the one script
 * and the one style that are meant, and loads nothing at all.
 */
import { createHash } from 'node:crypto';
import { pageScript } from './script.ts';
import { pageStyle } from './style.ts';

/** What the page's script reads. Rows of all folders stand in columns, folder after folder. */
export interface PageData {
  readonly title: string;
  /** When it was made, epoch seconds; other dates, too. */
  readonly made: number;
  readonly folders: readonly PageFolder[];
  /** Every sender and list of recipients once; `from` and `to` point here. */
  readonly people: readonly string[];
  /** Directories of the files, with a slash at the end; `dir` points here. */
  readonly dirs: readonly string[];
  readonly rows: PageRows;
}

export interface PageFolder {
  readonly name: readonly string[];
  /** Its first row, and how many it has. */
  readonly first: number;
  readonly count: number;
}

export interface PageRows {
  readonly from: readonly number[];
  readonly to: readonly number[];
  readonly subject: readonly string[];
  /** `null`: not known. */
  readonly date: readonly (number | null)[];
  readonly size: readonly number[];
  readonly dir: readonly number[];
  readonly name: readonly string[];
  /** Names of attached files, by row, where there are any. */
  readonly files: Readonly<Record<number, readonly string[]>>;
  /** Rows that cannot be opened. */
  readonly unreadable: readonly number[];
  readonly compressed: readonly number[];
}

/** The page, in pieces to be written one behind the other. */
export function* pageOf(data: PageData): Generator<string> {
  const policy = [
    "default-src 'none'",
    `style-src '${hashOf(pageStyle)}'`,
    `script-src '${hashOf(pageScript)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  yield `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>Mail</title>
<style>${pageStyle}</style>
</head>
<body>
<header>
<h1 id="title" dir="auto">Mail</h1>
<input id="search" type="search" autocomplete="off" spellcheck="false" aria-label="Search"
 placeholder="Search senders, recipients, subjects, files, dates">
<select id="choice" aria-label="Folder"></select>
<span id="count" role="status"></span>
</header>
<nav id="folders" aria-label="Folders"></nav>
<main>
<div id="heads" class="columns">
<button type="button" data-sort="from">From<span class="mark"></span></button>
<button type="button" data-sort="subject">Subject<span class="mark"></span></button>
<button type="button" data-sort="files">Files<span class="mark"></span></button>
<button type="button" data-sort="date">Date<span class="mark"></span></button>
<button type="button" data-sort="size" class="end">Size<span class="mark"></span></button>
</div>
<div id="list" tabindex="0" role="listbox" aria-label="Messages"><div id="space"></div><p id="nothing" hidden></p></div>
</main>
<footer><span id="made"></span><span><kbd>/</kbd> search, <kbd>↑</kbd> <kbd>↓</kbd> choose, <kbd>Enter</kbd> open</span></footer>
<p id="notice" role="alert" hidden></p>
<noscript><p>This page lists messages with a script, and scripts are switched off here.<br>
The messages themselves are ordinary files in the folders beside it.</p></noscript>
<script type="application/json" id="data">`;
  yield encodeData(data);
  yield `</script>
<script>${pageScript}</script>
</body>
</html>
`;
}

/**
 * The one way of text into the page: JSON in which nothing stands that could end the element it is in, or begin another
 * (HTML 4.12.1.3).
 */
export function encodeData(data: PageData): string {
  return JSON.stringify(data).replaceAll('<', '\\u003c');
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
