/**
 * The rules that send a folder, and what lies below it, somewhere else than its own name: `--map`, and special uses.
 */
import { hint } from './folder-filter.ts';
import { type FolderPath, formatPath, isInbox, parsePath, pathKey, prefixOf } from './folder-path.ts';
import type { FolderInfo, FolderPair, MappingOptions, MappingSide, PlanProblem, SpecialUse } from './types.ts';

/** "This folder goes there, and what lies below it goes below there." */
export interface MapRule {
  readonly from: FolderPath;
  readonly targetName: string;
  readonly reason: Extract<FolderPair['reason'], 'map' | 'special-use'>;
}

/** A source folder and the place it has in its account. */
export interface PlacedFolder {
  readonly folder: FolderInfo;
  readonly path: FolderPath;
}

/** Finds the rule for a folder: `--map` before special use, then the rule of the nearest folder at or above it. */
export class RuleBook {
  readonly #rules: readonly Map<string, MapRule>[];
  readonly #depths: readonly number[];

  constructor(mapRules: readonly MapRule[], useRules: readonly MapRule[]) {
    this.#rules = [mapRules, useRules].map((rules) => new Map(rules.map((rule) => [pathKey(rule.from), rule])));
    const depths = new Set([...mapRules, ...useRules].map(({ from }) => from.segments.length));
    this.#depths = [...depths].sort((a, b) => b - a);
  }

  find(path: FolderPath): MapRule | null {
    for (const rules of this.#rules) {
      for (const depth of this.#depths) {
        if (depth > path.segments.length) continue;
        const rule = rules.get(pathKey(path, depth));
        if (rule !== undefined) return rule;
      }
    }
    return null;
  }
}

/**
 * The rules of `--map "A=B"`. A map whose source name is no folder, or is given twice, is an error: mail would land
 * elsewhere than was asked for. `kept` are the folders that take part, `side.folders` all of them.
 */
export function parseMapRules(
  map: MappingOptions['map'],
  kept: readonly PlacedFolder[],
  source: MappingSide,
  target: MappingSide,
  problems: PlanProblem[],
): MapRule[] {
  const keptKeys = new Set(kept.map(({ path }) => pathKey(path)));
  const allKeys = new Set(source.folders.map((folder) => pathKey(placeOf(folder, source).path)));
  const rules = new Map<string, MapRule>();
  for (const { from, to } of map) {
    const option = `--map "${from}=${to}"`;
    const path = parsePath(from, source.naming.delimiter, source.naming);
    const key = pathKey(path);
    const report = (severity: PlanProblem['severity'], code: PlanProblem['code'], text: string) =>
      problems.push({ severity, code, folder: null, message: `${option} ${text}.` });

    if (rules.has(key)) {
      report('error', 'MAP_UNUSED', `comes second: "${from}" already goes to "${rules.get(key)?.targetName}"`);
    } else if (!allKeys.has(key) && !hasBelow(path, source)) {
      report('error', 'MAP_UNUSED', `applies to no folder${hint(from, source.folders)}`);
    } else {
      if (allKeys.has(key) && !keptKeys.has(key) && !kept.some((folder) => isBelow(folder.path, path))) {
        report('note', 'MAP_UNUSED', 'has no effect: the folder is left out');
      }
      const targetName = checkTargetName(to, source, target, report);
      if (targetName !== null) rules.set(key, { from: path, targetName, reason: 'map' });
    }
  }
  return [...rules.values()];
}

/**
 * The rules that send a folder with a special use (RFC 6154) to the target's folder with that use. Where several
 * folders on a side have one use, those two are matched that have the same name anyway, else the first of each side.
 * Folders that `--map` speaks about are not touched. Returns, too, which source folder stands for each use.
 */
export function matchSpecialUses(
  kept: readonly PlacedFolder[],
  target: MappingSide,
  isMapped: (path: FolderPath) => boolean,
  problems: PlanProblem[],
): { readonly rules: readonly MapRule[]; readonly chosen: ReadonlyMap<SpecialUse, FolderInfo> } {
  const rules: MapRule[] = [];
  const chosen = new Map<SpecialUse, FolderInfo>();
  for (const [use, sources] of groupByUse(kept.filter(({ folder }) => folder.selectable && !isInbox(folder.name)))) {
    const targets = target.folders.filter((folder) => folder.specialUse === use && folder.selectable);
    const named = sources.find(({ path }) => targets.some(({ name }) => name === formatPath(path, target.naming).name));
    const source = named ?? sources[0];
    if (source === undefined) continue;
    chosen.set(use, source.folder);
    for (const { folder } of sources) {
      if (folder === source.folder) continue;
      const message = `"${folder.name}" says it is ${use}, as "${source.folder.name}" does: that one is taken for it, this one is copied by its name.`;
      problems.push({ severity: 'note', code: 'COLLISION', folder: folder.name, message });
    }
    const ownName = formatPath(source.path, target.naming).name;
    const match = targets.find(({ name }) => name === ownName) ?? targets[0];
    if (match === undefined || isMapped(source.path)) continue;
    rules.push({ from: source.path, targetName: match.name, reason: 'special-use' });
  }
  return { rules, chosen };
}

/** The folder with its place in the account of `side`. */
export function placeOf(folder: FolderInfo, side: MappingSide): PlacedFolder {
  return { folder, path: parsePath(folder.name, folder.delimiter, side.naming) };
}

function groupByUse(folders: readonly PlacedFolder[]): Map<SpecialUse, PlacedFolder[]> {
  const groups = new Map<SpecialUse, PlacedFolder[]>();
  for (const placed of folders) {
    const use = placed.folder.specialUse;
    if (use === null) continue;
    const group = groups.get(use);
    if (group === undefined) groups.set(use, [placed]);
    else group.push(placed);
  }
  return groups;
}

function isBelow(path: FolderPath, parent: FolderPath): boolean {
  return path.segments.length > parent.segments.length && pathKey(path, parent.segments.length) === pathKey(parent);
}

/** Parents need not be listed: `--map "A=B"` is right where only `A/x` exists. */
function hasBelow(path: FolderPath, side: MappingSide): boolean {
  if (!path.inbox && path.segments.length === 0) return false;
  return side.folders.some((folder) => isBelow(placeOf(folder, side).path, path));
}

function checkTargetName(
  to: string,
  source: MappingSide,
  target: MappingSide,
  report: (severity: PlanProblem['severity'], code: PlanProblem['code'], text: string) => void,
): string | null {
  const { delimiter } = target.naming;
  if (isInbox(to)) return 'INBOX';
  const name = delimiter !== null && to.endsWith(delimiter) ? to.slice(0, -delimiter.length) : to;
  if (name === '' || (delimiter !== null && name.split(delimiter).includes(''))) {
    report('error', 'BAD_NAME', 'has an empty name on its right side');
    return null;
  }
  if (target.folders.some((folder) => folder.name === name)) return name;
  const prefix = prefixOf(target.naming);
  if (!name.startsWith(prefix)) {
    report(
      'note',
      'BAD_NAME',
      `is outside "${prefix}", where the target keeps its folders: "${prefix}${name}" may be meant`,
    );
  }
  const foreign = source.naming.delimiter;
  if (foreign !== null && foreign !== delimiter && name.includes(foreign)) {
    const word = delimiter === null ? 'has no folders within folders' : `separates folders by "${delimiter}"`;
    report('note', 'BAD_NAME', `makes one folder with "${foreign}" in its name: the target ${word}`);
  }
  return name;
}
