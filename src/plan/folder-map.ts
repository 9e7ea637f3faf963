/**
 * Where every source folder goes. Each folder has exactly one target, no target has two folders, and whatever
 * cannot be kept is said.
 *
 * - INBOX goes to INBOX. What a name means in its account (prefix, delimiter, children of INBOX): `folder-path.ts`.
 * - `--map` decides first, then a special use that both sides have, then the name. Children follow their parent.
 * - A character that is the target's delimiter becomes `_` in a name; where the target has no hierarchy, the names of a
 *   path are joined by `.`. Each such change is a note.
 * - Two folders for one target are an error that names both. So are names that differ only by Unicode form, or by
 *   case where the target ignores case.
 * - A folder that cannot hold messages is created by name where something is copied below it, else left out.
 *   Parents that are not listed at all need nothing: CREATE makes them (RFC 3501 6.3.3).
 */
import { filterFolders } from './folder-filter.ts';
import { appendBelow, formatPath, isInbox, toCanonicalInbox } from './folder-path.ts';
import { matchSpecialUses, type PlacedFolder, parseMapRules, placeOf, RuleBook } from './map-rules.ts';
import type {
  FolderInfo,
  FolderMap,
  FolderPair,
  MappingOptions,
  MappingSide,
  PlanProblem,
  SpecialUse,
} from './types.ts';

/** Views of messages that live in other folders as well (RFC 6154 2, RFC 8457). */
const virtualUses: readonly SpecialUse[] = ['\\All', '\\Flagged', '\\Important'];

/**
 * Maps the source's folders to the target's. Pure and total: whatever is wrong is a problem in the result, and a
 * `FolderMap` without errors maps injectively.
 */
export function mapFolders(source: MappingSide, target: MappingSide, options: MappingOptions): FolderMap {
  const problems: PlanProblem[] = [];
  const listed = dropRepeated(source.folders, problems);
  const filtered = filterFolders(listed, options);
  problems.push(...filtered.problems);

  const kept: PlacedFolder[] = [];
  for (const folder of filtered.kept) {
    const placed = placeOf(folder, source);
    if (placed.path.inbox || placed.path.segments.length > 0) kept.push(placed);
    else problems.push(unnameable(folder));
  }
  const mapRules = parseMapRules(options.map, kept, source, target, problems);
  const mapped = new RuleBook(mapRules, []);
  const uses = options.mapSpecialUse
    ? matchSpecialUses(kept, target, (path) => mapped.find(path) !== null, problems)
    : { rules: [], chosen: new Map<SpecialUse, FolderInfo>() };
  const rules = new RuleBook(mapRules, uses.rules);
  const existing = new ExistingFolders(target);

  const pairs = kept.map((placed): FolderPair => {
    const { folder } = placed;
    const { name, reason } = nameAtTarget(placed, rules, target, problems);
    const found = existing.find(name);
    const nameOnly = !folder.selectable;
    // A name that only exists as a parent has to be created before it can hold messages.
    const usable = found !== null && (found.selectable || nameOnly) ? found : null;
    const use = folder.specialUse;
    const wantsUse = found === null && use !== null && uses.chosen.get(use) === folder && !virtualUses.includes(use);
    const taken = wantsUse && target.folders.some((other) => other.selectable && other.specialUse === use);
    return {
      source: folder,
      targetName: found?.name ?? name,
      target: usable,
      reason,
      createUse: wantsUse && !taken ? use : null,
      nameOnly,
    };
  });

  const needed = dropUnneededParents(pairs, target, problems);
  reportNames(needed, target, problems);
  reportCollisions(needed, target, problems);
  return { pairs: needed, problems };
}

/** LIST may say a folder twice, and INBOX is one folder however it is spelt. */
function dropRepeated(folders: readonly FolderInfo[], problems: PlanProblem[]): FolderInfo[] {
  const seen = new Map<string, FolderInfo>();
  for (const folder of folders) {
    const key = isInbox(folder.name) ? 'INBOX' : folder.rawName;
    const first = seen.get(key);
    // Listed as a mere parent and as a folder: it is a folder. A Map keeps the place of the first.
    if (first === undefined || (folder.selectable && !first.selectable)) seen.set(key, folder);
    if (first === undefined) continue;
    if (first.name !== folder.name) {
      const message = `"${folder.name}" and "${first.name}" are one folder: it is copied once.`;
      problems.push({ severity: 'note', code: 'EXCLUDED', folder: folder.name, message });
    }
  }
  return [...seen.values()];
}

function nameAtTarget(
  { folder, path }: PlacedFolder,
  rules: RuleBook,
  target: MappingSide,
  problems: PlanProblem[],
): { readonly name: string; readonly reason: FolderPair['reason'] } {
  const { delimiter } = target.naming;
  const rule = rules.find(path);
  const formatted =
    rule === null
      ? formatPath(path, target.naming)
      : appendBelow(rule.targetName, path.segments.slice(rule.from.segments.length), target.naming);
  const { name, replaced } = formatted;
  const flattened = delimiter === null && path.segments.length + (path.inbox ? 1 : 0) > 1;
  if (replaced.length > 0 || flattened) {
    const why = flattened
      ? 'the target has no folders within folders'
      : `"${delimiter}" separates folders at the target`;
    const message = `"${folder.name}" becomes "${name}": ${why}.`;
    problems.push({ severity: 'note', code: 'RENAMED', folder: folder.name, message });
  }
  const inbox = path.inbox && path.segments.length === 0;
  return { name, reason: rule?.reason ?? (inbox ? 'inbox' : 'name') };
}

/** The target's folders, found as the target compares names. */
class ExistingFolders {
  readonly #exact: Map<string, FolderInfo>;
  readonly #same: Map<string, FolderInfo>;
  readonly #target: MappingSide;

  constructor(target: MappingSide) {
    this.#target = target;
    this.#exact = new Map(target.folders.map((folder) => [folder.name, folder]));
    this.#same = new Map([...target.folders].reverse().map((folder) => [compareKey(folder.name, target), folder]));
  }

  find(name: string): FolderInfo | null {
    return this.#exact.get(name) ?? this.#same.get(compareKey(name, this.#target)) ?? null;
  }
}

/** Equal for names that are, or look like, one folder at the target. */
function compareKey(name: string, target: MappingSide): string {
  if (target.naming.escaped === true) return toCanonicalInbox(name, target.naming.delimiter);
  const canonical = toCanonicalInbox(name, target.naming.delimiter).normalize('NFC');
  return target.ignoresCase === true ? canonical.toLowerCase() : canonical;
}

/** Keeps a folder without messages only where its name is not another folder's target and something goes below it. */
function dropUnneededParents(
  pairs: readonly FolderPair[],
  target: MappingSide,
  problems: PlanProblem[],
): readonly FolderPair[] {
  if (!pairs.some(({ nameOnly }) => nameOnly)) return pairs;
  const { delimiter } = target.naming;
  const taken = new Set<string>();
  const names: string[] = [];
  for (const { nameOnly, targetName } of pairs) {
    if (nameOnly) continue;
    taken.add(compareKey(targetName, target));
    names.push(targetName);
  }
  names.sort();
  return pairs.filter(({ nameOnly, source, targetName }) => {
    if (!nameOnly) return true;
    const key = compareKey(targetName, target);
    if (!taken.has(key) && delimiter !== null && hasPrefix(names, targetName + delimiter)) {
      taken.add(key);
      return true;
    }
    if (!taken.has(key)) {
      const message = `"${source.name}" cannot hold messages and nothing is copied below it: it is not created.`;
      problems.push({ severity: 'note', code: 'EXCLUDED', folder: source.name, message });
    }
    return false;
  });
}

/** True where one of the sorted `names` starts with `prefix`. */
function hasPrefix(names: readonly string[], prefix: string): boolean {
  let low = 0;
  let high = names.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((names[middle] ?? '') < prefix) low = middle + 1;
    else high = middle;
  }
  return names[low]?.startsWith(prefix) === true;
}

/** What is odd about a name that is kept as it is. */
function reportNames(pairs: readonly FolderPair[], { naming }: MappingSide, problems: PlanProblem[]): void {
  for (const { source, target, targetName, nameOnly } of pairs) {
    const note = (code: PlanProblem['code'], message: string) =>
      problems.push({ severity: 'note', code, folder: source.name, message });
    const { delimiter, name, specialUse } = source;
    const segments = delimiter === null ? [name] : name.split(delimiter);
    if (segments.length > 1 && segments.includes('')) {
      note('RENAMED', `"${name}" has an empty name between its delimiters: it becomes "${targetName}".`);
    }
    if (target === null && naming.escaped !== true && segments.some((segment) => /^\s|\s$/u.test(segment))) {
      note('BAD_NAME', `"${name}" has a blank at the beginning or end of a name: some servers refuse or cut it.`);
    }
    if (!nameOnly && specialUse !== null && virtualUses.includes(specialUse)) {
      const message = `"${name}" (${specialUse}) usually shows messages of other folders again, and they would be copied again: --exclude "${specialUse}" leaves them out.`;
      note('VIRTUAL', message);
    }
  }
}

function reportCollisions(pairs: readonly FolderPair[], target: MappingSide, problems: PlanProblem[]): void {
  const groups = groupBy(pairs, ({ targetName }) => compareKey(targetName, target));
  for (const group of groups.values()) {
    if (group.length > 1) problems.push(collision(group, groups, target));
  }
  if (target.ignoresCase === true || target.naming.escaped === true) return;
  const distinct = [...groups.values()].flatMap(([first]) => (first === undefined ? [] : [first]));
  for (const group of groupBy(distinct, ({ targetName }) => targetName.toLowerCase()).values()) {
    if (group.length < 2) continue;
    const [first] = group;
    const names = listNames(group);
    const message = `${names} differ only by case: a target that ignores case would make them one folder.`;
    problems.push({ severity: 'note', code: 'COLLISION', folder: first?.source.name ?? null, message });
  }
}

function collision(
  group: readonly FolderPair[],
  groups: ReadonlyMap<string, unknown>,
  target: MappingSide,
): PlanProblem {
  // The folder that only its name leads there is the one to move.
  const moved = group.findLast(({ reason }) => reason === 'name') ?? group[group.length - 1];
  const stem = moved?.targetName ?? '';
  let free = 2;
  while (groups.has(compareKey(`${stem}-${free}`, target))) free += 1;
  const name = moved?.source.name ?? '';
  const number = group.length === 2 ? 'both' : 'all';
  const alternative = group.some(({ reason }) => reason === 'special-use') ? ', or use --no-map-special-use' : '';
  return {
    severity: 'error',
    code: 'COLLISION',
    folder: name,
    message: `${listNames(group)} would ${number} become "${stem}": send one elsewhere, for example --map "${name}=${stem}-${free}"${alternative}.`,
  };
}

function listNames(pairs: readonly FolderPair[]): string {
  const names = pairs.map(({ source, reason }) => {
    const use = reason === 'special-use' && source.specialUse !== null ? ` (${source.specialUse})` : '';
    return `"${source.name}"${use}`;
  });
  return `${names.slice(0, -1).join(', ')} and ${names[names.length - 1]}`;
}

function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

/** Nothing but delimiters: some servers list their root so, as a folder that holds no messages. */
function unnameable(folder: FolderInfo): PlanProblem {
  if (!folder.selectable) {
    const message = `"${folder.name}" is no name for a folder: it is not created.`;
    return { severity: 'note', code: 'EXCLUDED', folder: folder.name, message };
  }
  const pattern = folder.name === '' ? 're:^$' : folder.name;
  const message = `"${folder.name}" is no name for a folder: leave it out with --exclude "${pattern}".`;
  return { severity: 'error', code: 'BAD_NAME', folder: folder.name, message };
}
