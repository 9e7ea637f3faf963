/**
 * Lists that may be long: what is shown of them, and the line that counts the rest.
 */
import { formatCount } from './format.ts';

/** Refusals, notes and differences that are listed before the rest is only counted. */
export const maxListed = 20;

/** The items with the kinds taking turns: a list that is cut short shows some of each, not many of one. */
export function mixed<Item>(items: readonly Item[], kind: (item: Item) => string): Item[] {
  const seen = new Map<string, number>();
  const turns = items.map((item) => {
    const turn = seen.get(kind(item)) ?? 0;
    seen.set(kind(item), turn + 1);
    return { item, turn };
  });
  return turns.sort((a, b) => a.turn - b.turn).map(({ item }) => item);
}

/** Says how many were left out; empty where none was. */
export function moreLine(count: number, json: boolean): string[] {
  if (count <= 0) return [];
  return [`  and ${formatCount(count)} more${json ? '' : ': see --json'}`];
}
