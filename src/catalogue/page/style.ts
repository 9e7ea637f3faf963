/** The style of `index.html`, as it stands in the page. */
export const pageStyle = `
:root {
  color-scheme: light dark;
  --ground: #f6f6f4; --paper: #ffffff; --ink: #1d2125; --soft: #626b75; --faint: #8a929b; --line: #e4e5e2;
  --hover: #f2f4f7; --accent: #2456a6; --chosen: #e4ecf8; --chip: #eef0ee; --warn: #8a4b08; --warn-ground: #fdf3e3;
  --row: 40px;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #15181b; --paper: #1b1f23; --ink: #e3e6e9; --soft: #9aa4ae; --faint: #77818b; --line: #2b3036;
    --hover: #22272c; --accent: #8db4f2; --chosen: #243349; --chip: #2a2f35; --warn: #f0c078; --warn-ground: #352a17;
  }
}
* { box-sizing: border-box; }
html, body { height: 100%; margin: 0; }
body {
  display: grid; grid-template: auto 1fr auto / minmax(180px, 250px) 1fr; background: var(--ground); color: var(--ink);
  font: 14px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, sans-serif;
}
[hidden] { display: none !important; }
button, input, select { font: inherit; color: inherit; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; }
header {
  grid-column: 1 / -1; display: flex; align-items: center; gap: 16px; padding: 12px 20px; background: var(--paper);
  border-bottom: 1px solid var(--line);
}
h1 {
  flex: 0 0 auto; max-width: 230px; margin: 0; font-size: 16px; font-weight: 650; letter-spacing: -0.01em;
  overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
}
#search {
  flex: 1 1 auto; min-width: 0; max-width: 720px; height: 36px; padding: 0 14px; border: 1px solid var(--line);
  border-radius: 18px; background: var(--ground);
}
#search::placeholder { color: var(--faint); }
#search:placeholder-shown { text-overflow: ellipsis; }
#search:focus { border-color: var(--accent); background: var(--paper); outline: none; }
#count { flex: 0 0 auto; margin-inline-start: auto; color: var(--soft); font-variant-numeric: tabular-nums; white-space: nowrap; }
#choice { display: none; }
nav { overflow: auto; padding: 10px 8px; border-inline-end: 1px solid var(--line); }
nav button {
  display: flex; align-items: baseline; width: 100%; gap: 10px; padding: 5px 12px; border: 0; border-radius: 7px;
  background: none; text-align: start; cursor: pointer;
}
nav button:hover { background: var(--hover); }
nav button[aria-current="true"] { background: var(--chosen); font-weight: 600; }
nav button[data-empty] { color: var(--faint); cursor: default; }
nav button[data-empty]:hover { background: none; }
nav .name { flex: 1 1 auto; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
nav .number { color: var(--faint); font-size: 12px; font-weight: 400; font-variant-numeric: tabular-nums; }
nav .level-1 { padding-inline-start: 26px; }
nav .level-2 { padding-inline-start: 40px; }
nav .level-3 { padding-inline-start: 54px; }
nav .level-4 { padding-inline-start: 68px; }
main { display: flex; flex-direction: column; min-width: 0; min-height: 0; background: var(--paper); }
.columns {
  display: grid; grid-template-columns: minmax(110px, 22%) minmax(0, 1fr) minmax(90px, 20%) 132px 72px; column-gap: 16px;
  align-items: center; padding: 0 20px;
}
#heads { flex: 0 0 auto; height: 34px; border-bottom: 1px solid var(--line); color: var(--soft); font-size: 12px; }
#heads button {
  height: 100%; padding: 0; border: 0; background: none; color: inherit; text-align: start; cursor: pointer; white-space: nowrap;
}
#heads button:hover { color: var(--ink); }
#heads button[aria-pressed="true"] { color: var(--ink); font-weight: 600; }
#heads .mark { display: inline-block; width: 1.1em; text-align: center; }
#heads .end, .row .size { text-align: end; }
#list { position: relative; flex: 1 1 auto; overflow: hidden scroll; overflow-anchor: none; }
#list:focus-visible { outline: none; }
#space { position: relative; }
.row {
  position: absolute; top: 0; inset-inline: 0; height: var(--row); border-bottom: 1px solid var(--line);
  color: inherit; text-decoration: none; cursor: pointer;
}
.row:hover { background: var(--hover); }
.row.active { background: var(--chosen); }
#list:focus-visible .row.active { box-shadow: inset 3px 0 0 var(--accent); }
.row > * { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
/* Direction goes by each text; the side stays that of the column, so that lines of both read as one list. */
.row .from, .row .subject, .row .files, h1, nav .name { unicode-bidi: isolate; text-align: left; }
.row .files { color: var(--soft); font-size: 13px; }
.row .date, .row .size { color: var(--soft); font-size: 13px; font-variant-numeric: tabular-nums; }
.row .none { color: var(--faint); font-style: italic; }
.row.closed .subject::before {
  content: attr(data-kind); margin-inline-end: 8px; padding: 1px 6px; border-radius: 4px; background: var(--chip);
  color: var(--soft); font-size: 11px;
}
#nothing { position: absolute; inset: 0; display: grid; place-content: center; padding: 20px; color: var(--soft); text-align: center; }
footer {
  grid-column: 1 / -1; display: flex; gap: 16px; justify-content: space-between; padding: 6px 20px; background: var(--ground);
  border-top: 1px solid var(--line); color: var(--faint); font-size: 12px;
}
footer span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
kbd { padding: 0 5px; border: 1px solid var(--line); border-radius: 4px; font: inherit; background: var(--paper); }
#notice {
  position: fixed; inset-block-end: 44px; inset-inline: 0; width: fit-content; max-width: min(640px, 92vw); margin: 0 auto;
  padding: 10px 16px; border: 1px solid var(--line); border-radius: 10px; background: var(--warn-ground); color: var(--warn);
  box-shadow: 0 6px 24px rgb(0 0 0 / 18%); overflow-wrap: anywhere;
}
noscript p { position: fixed; inset: 0; display: grid; place-content: center; margin: 0; padding: 30px; background: var(--paper); text-align: center; }
@media (max-width: 760px) {
  :root { --row: 72px; }
  body { grid-template: auto 1fr / 1fr; }
  header { flex-wrap: wrap; gap: 8px 12px; padding: 10px 14px; }
  h1 { flex: 1 1 auto; max-width: none; }
  #search { order: 3; flex-basis: 100%; max-width: none; height: 40px; font-size: 16px; }
  #choice {
    order: 4; display: block; flex: 1 1 0; min-width: 0; height: 34px; padding: 0 8px; border: 1px solid var(--line);
    border-radius: 8px; background: var(--paper);
  }
  #count { order: 2; }
  nav, footer { display: none; }
  #heads { display: flex; gap: 6px; padding: 0 14px; overflow-x: auto; }
  #heads button { padding: 0 4px; }
  .row.columns {
    grid-template: "from date" 20px "subject subject" 21px "files size" 18px / minmax(0, 1fr) auto; align-content: center;
    padding: 0 14px;
  }
  .row .from { grid-area: from; font-weight: 600; }
  .row .date { grid-area: date; font-size: 12px; }
  .row .subject { grid-area: subject; }
  .row .files { grid-area: files; font-size: 12px; }
  .row .size { grid-area: size; font-size: 12px; }
}
@media print { #list { overflow: visible; } }
`;
