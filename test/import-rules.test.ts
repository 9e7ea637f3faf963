import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const src = join(dirname(fileURLToPath(import.meta.url)), '..', 'src');

interface Import {
  readonly file: string;
  /** A path below src, or a package. */
  readonly to: string;
  readonly typeOnly: boolean;
}

/** Who may import whom. The first rule that matches a file holds; `types` may be imported for their types only. */
const rules: readonly { files: RegExp; may: RegExp; types?: RegExp; why: string }[] = [
  {
    files: /^protocol\/commands\//,
    may: /^(node:|protocol\/(command|byte-source|encoder|lexer|lexer-text|value|fetch-data|message-items|fetched-message|folder-naming|header-text|errors|limits|types|utf7|datetime|sequence-set|response-code|response|flags|sasl[\w-]*|commands\/[\w-]+)\.ts$)/,
    types: /^protocol\/[\w-]+\.ts$/,
    why: 'a command is a value: it never sees a connection or a transport',
  },
  {
    files: /^protocol\/(framer|encoder)\.ts$/,
    may: /^(node:|protocol\/(types|byte-source|errors|limits|frame|word|literal-marker|fetch-scan|slice-pool|utf7|sequence-set|flags)\.ts$)/,
    why: 'the hot path leans on nothing that could be slow',
  },
  {
    files: /^protocol\//,
    may: /^(node:|protocol\/)/,
    why: 'the protocol is a general IMAP client that has never heard of migration',
  },
  { files: /^plan\//, may: /^plan\//, why: 'planning is pure: no I/O, no clock, no Node modules' },
  {
    files: /^sandbox\//,
    may: /^(node:|sandbox\/|clock\.ts$|protocol\/(types|utf7|datetime|sequence-set|limits)\.ts$)/,
    why: 'the sandbox is a server: it shares only small codecs with the client',
  },
  {
    files: /^testing\//,
    may: /^(node:|testing\/|(protocol|sandbox)\/index\.ts$)/,
    why: 'what tests are given stands on the front doors of client and sandbox, as the code they test does',
  },
  {
    files: /^worker\//,
    may: /^(node:|worker\/|archive\/[\w-]+\.ts$|protocol\/index\.ts$|journal\/manifest\.ts$|plan\/(types|message-table|message-facts|shard|select)\.ts$|(account|clock|errors|log|mail-parser|trace-file)\.ts$)/,
    types: /^job\.ts$/,
    why: 'a lane knows the protocol by its front door, of journals the manifest of a tree it reads, and nothing of jobs or people',
  },
  {
    files: /^archive\//,
    may: /^(node:|archive\/|protocol\/index\.ts$|errors\.ts$)/,
    why: 'trees on the disk know their formats and nothing of jobs',
  },
  {
    files: /^catalogue\/page\//,
    may: /^(node:crypto$|catalogue\/page\/)/,
    why: 'a page is text made of data',
  },
  {
    files: /^catalogue\//,
    may: /^(node:|catalogue\/|archive\/[\w-]+\.ts$|protocol\/index\.ts$|journal\/(database|database-problem)\.ts$|(clock|errors|mail-parser|program-files)\.ts$)/,
    why: 'what is in a tree is read for people: no jobs, no journals, no servers',
  },
  {
    files: /^mail-parser\.ts$/,
    may: /^(node:|mailparser$)/,
    why: 'the MIME parser is given bytes',
  },
  {
    files: /^account\.ts$/,
    may: /^$/,
    types: /^archive\/store\.ts$/,
    why: 'settings are plain data',
  },
  {
    files: /^clock\.ts$/,
    may: /^protocol\/(clock|types)\.ts$/,
    why: 'there is one clock, and the lowest layer owns it',
  },
  {
    files: /^lanes\.ts$/,
    may: /^(node:|piscina$|p-queue$|(errors|program-files)\.ts$|worker\/(contract|channel)\.ts$)/,
    why: 'lanes are started and fed here, whatever they do',
  },
  {
    files:
      /^(coordinator|crew|patience|folder-driver|lane-load|lane-tuner|ledger|flag-sync|verify|check|folder-part|folder-run|mirror|recovery|vanished)\.ts$/,
    may: /^(node:|@photostructure\/sqlite$|(account|clock|errors|local-time|log|lanes|journal\/index|progress|patience|crew|folder-driver|lane-load|lane-tuner|ledger|flag-sync|folder-part|folder-run|mirror|recovery|vanished|coordinator)\.ts$|worker\/allowance\.ts$|protocol\/datetime\.ts$|plan\/)/,
    types: /^(job|worker\/contract)\.ts$/,
    why: 'the main thread decides; it moves no message bytes and speaks no IMAP, but knows how a date is written',
  },
  {
    files: /^open-account\.ts$/,
    may: /^(worker\/(failure|login)|account|clock|errors)\.ts$/,
    types: /^protocol\/index\.ts$/,
    why: 'one session in this thread is opened as a lane opens its own',
  },
  {
    files: /^tree-verify\.ts$/,
    may: /^(node:|archive\/(tree|tree-error|tree-name)\.ts$|journal\/manifest\.ts$|plan\/message-facts\.ts$|worker\/digest\.ts$|(account|clock|errors|progress)\.ts$)/,
    types: /^(job|archive\/store)\.ts$/,
    why: 'a backup is compared with its own manifest: no lane, no server',
  },
  {
    files: /^trace-file\.ts$/,
    may: /^(node:|(display|errors)\.ts$)/,
    types: /^(clock|protocol\/index)\.ts$/,
    why: 'a trace is written wherever a connection is opened',
  },
  {
    files: /^cli\/shell[\w-]*\.ts$/,
    may: /^(node:|cli\/|(account|display|errors)\.ts$|protocol\/index\.ts$)/,
    why: 'the shell is the one command whose user speaks to the client itself',
  },
  {
    files: /^cli\.ts$/,
    may: /^(cli\/main|threads-ahead)\.ts$/,
    why: 'threads start before anything else is loaded',
  },
  {
    files: /^threads-ahead\.ts$/,
    may: /^(journal\/host|lanes)\.ts$/,
    why: 'threads start before anything else is loaded',
  },
  {
    files: /^cli\//,
    may: /^(node:|yargs(\/helpers)?$|zod$|cli-progress$|cli\/|(account|clock|errors|local-time|log|config|coordinator|verify|tree-verify|check|journal-status|open-account|progress|display|program-files|trace-file)\.ts$|archive\/(tree|tree-name)\.ts$|catalogue\/index\.ts$|sandbox\/|plan\/near-name\.ts$)/,
    types: /^(job|plan\/types)\.ts$/,
    why: 'the command turns words into one call and its report into words',
  },
  {
    files: /^journal-status\.ts$/,
    may: /^(journal\/index|errors)\.ts$/,
    why: 'what the journals know is read from them alone: no account, no server',
  },
  {
    files: /^(config\.ts|config\/)/,
    may: /^(node:|zod$|openid-client$|config\/|(account|clock|errors)\.ts$|plan\/near-name\.ts$)/,
    why: 'settings are read, not used',
  },
];

/** Each third-party package has one home, so that replacing it is a change to one file. */
const homes: Readonly<Record<string, RegExp>> = {
  piscina: /^lanes\.ts$/,
  'p-queue': /^lanes\.ts$/,
  '@photostructure/sqlite': /^journal\/database\.ts$/,
  'cli-progress': /^cli\/[\w-]+\.ts$/,
  yargs: /^cli\/[\w-]+\.ts$/,
  'openid-client': /^config\/oauth\.ts$/,
  pino: /^log\.ts$/,
  mailparser: /^mail-parser\.ts$/,
};

function importsOf(file: string): Import[] {
  const text = readFileSync(join(src, file), 'utf8');
  const found: Import[] = [];
  for (const match of text.matchAll(/^(?:import|export)\s+(type\s)?(?:[^'"]*?\sfrom\s+)?['"]([^'"]+)['"]/gm)) {
    found.push({ file, to: resolveImport(file, match[2] ?? ''), typeOnly: match[1] !== undefined });
  }
  for (const match of text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g)) {
    found.push({ file, to: resolveImport(file, match[1] ?? ''), typeOnly: false });
  }
  return found;
}

function resolveImport(file: string, to: string): string {
  return to.startsWith('.') ? normalize(join(dirname(file), to)) : to;
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => relative('.', file));
const imports = files.flatMap(importsOf);

describe('imports', () => {
  it('are found at all', () => {
    expect(imports.length).toBeGreaterThan(100);
  });

  it('follow the arrows of the architecture', () => {
    const forbidden = imports.flatMap(({ file, to, typeOnly }) => {
      const rule = rules.find(({ files: pattern }) => pattern.test(file));
      if (rule === undefined || rule.may.test(to) || (typeOnly && rule.types?.test(to))) return [];
      return [`${file} -> ${to}: ${rule.why}`];
    });
    expect(forbidden).toEqual([]);
  });

  it('name each package in one home only', () => {
    const strays = imports.flatMap(({ file, to }) => {
      const home = homes[to.replace(/\/helpers$/, '')];
      return home === undefined || home.test(file) ? [] : [`${file} -> ${to}`];
    });
    expect(strays).toEqual([]);
  });

  it('form no cycle between folders that would make a layer depend on the one above', () => {
    const upward = imports.filter(
      ({ file, to }) => file.startsWith('protocol/') && /^(worker|plan|cli|sandbox)\//.test(to),
    );
    expect(upward).toEqual([]);
  });
});
