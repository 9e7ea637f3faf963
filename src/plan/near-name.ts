/** How many names a message offers at most. */
const offered = 3;
/** Longer names are compared by their beginning: a hint is not worth quadratic work on a hostile name. */
const compared = 64;

/**
 * The names among `known` that `wanted` may be a slip for, nearest first, at most three. Case does not count as a
 * difference; two thirds of the letters have to be right, or the name be a part of the other.
 */
export function nearNames(wanted: string, known: Iterable<string>): string[] {
  const target = fold(wanted);
  const ranked: { readonly name: string; readonly distance: number }[] = [];
  for (const name of new Set(known)) {
    const candidate = fold(name);
    const distance = isPart(candidate, target) || isPart(target, candidate) ? 1 : editDistance(target, candidate);
    if (distance <= Math.max(1, Math.floor(target.length / 3))) ranked.push({ name, distance });
  }
  ranked.sort((a, b) => a.distance - b.distance);
  return ranked.slice(0, offered).map(({ name }) => name);
}

/** A part shorter than three letters is found in too many names to mean anything. */
function isPart(part: string, whole: string): boolean {
  return part.length >= 3 && part.length < whole.length && whole.includes(part);
}

function fold(name: string): string {
  return name.normalize('NFC').toLowerCase().slice(0, compared);
}

/** Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      let best = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        best = Math.min(best, (beforeLast[column - 2] ?? 0) + 1);
      }
      current.push(best);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? 0;
}
