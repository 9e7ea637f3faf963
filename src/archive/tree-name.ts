/** Names of a tree's folders as people and plans have them: segments joined with `/`. */
import type { TreePath } from './store.ts';

/** `['Projects', 'A/B']` -> `Projects/A%2FB`. */
export function toTreeName(path: TreePath): string {
  return path.map((segment) => segment.replaceAll('%', '%25').replaceAll('/', '%2F')).join('/');
}

/** `Projects/A%2FB` -> `['Projects', 'A/B']`; the inbox in any case is `INBOX`. */
export function toTreePath(name: string): TreePath {
  const segments = name.split('/').map((segment) => segment.replaceAll('%2F', '/').replaceAll('%25', '%'));
  const [first = '', ...rest] = segments;
  return first.toUpperCase() === 'INBOX' ? ['INBOX', ...rest] : segments;
}
