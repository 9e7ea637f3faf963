/**
 * Which source folders take part, by `--include` and `--exclude`. Nothing is left out without a line that says so.
 */
import { nearNames } from './near-name.ts';
import { type Pattern, parsePattern } from './pattern.ts';
import type { FolderInfo, MappingOptions, PlanProblem } from './types.ts';

export interface FilteredFolders {
  /** In the order they were given. */
  readonly kept: readonly FolderInfo[];
  readonly problems: readonly PlanProblem[];
}

/** How many names a summary spells out. */
const listed = 5;

/**
 * Keeps the folders that an include names (all, where there is none) and no exclude names. An include that matches
 * nothing is an error, because less would be copied than was meant; an exclude that matches nothing is a note.
 */
export function filterFolders(
  folders: readonly FolderInfo[],
  options: Pick<MappingOptions, 'include' | 'exclude'>,
): FilteredFolders {
  const problems: PlanProblem[] = [];
  const includes = parseAll('--include', options.include, folders, 'error', problems);
  const excludes = parseAll('--exclude', options.exclude, folders, 'note', problems);

  const kept: FolderInfo[] = [];
  const notIncluded: string[] = [];
  for (const folder of folders) {
    const exclude = excludes.find(({ pattern }) => pattern(folder));
    if (options.include.length > 0 && !includes.some(({ pattern }) => pattern(folder))) {
      notIncluded.push(folder.name);
    } else if (exclude !== undefined) {
      const message = `"${folder.name}" is left out by --exclude "${exclude.text}".`;
      problems.push({ severity: 'note', code: 'EXCLUDED', folder: folder.name, message });
    } else {
      kept.push(folder);
    }
  }
  if (notIncluded.length > 0) {
    const more = notIncluded.length > listed ? `, and ${notIncluded.length - listed} more` : '';
    const names = `${notIncluded.slice(0, listed).map(quote).join(', ')}${more}`;
    problems.push({ severity: 'note', code: 'EXCLUDED', folder: null, message: `No --include names ${names}.` });
  }
  return { kept, problems };
}

interface NamedPattern {
  readonly text: string;
  readonly pattern: Pattern;
}

function parseAll(
  option: '--include' | '--exclude',
  texts: readonly string[],
  folders: readonly FolderInfo[],
  severity: PlanProblem['severity'],
  problems: PlanProblem[],
): NamedPattern[] {
  const patterns: NamedPattern[] = [];
  for (const text of texts) {
    const pattern = parsePattern(text, folders);
    if (typeof pattern === 'string') {
      const message = `${option} "${text}" ${pattern}.`;
      problems.push({ severity: 'error', code: 'BAD_PATTERN', folder: null, message });
      continue;
    }
    patterns.push({ text, pattern });
    if (folders.some(pattern)) continue;
    const message = `${option} "${text}" matches no folder${hint(text, folders)}.`;
    problems.push({ severity, code: 'UNKNOWN_INCLUDE', folder: null, message });
  }
  return patterns;
}

/** `; near it: "Work", "Words"`, or nothing where no folder's name is near. */
export function hint(wanted: string, folders: readonly FolderInfo[]): string {
  const names = nearNames(
    wanted,
    folders.map(({ name }) => name),
  );
  return names.length === 0 ? '' : `; near it: ${names.map(quote).join(', ')}`;
}

function quote(name: string): string {
  return `"${name}"`;
}
