import { toDisplay } from '../display.ts';
import type { TableColumn } from './table.ts';

/** A folder on its way: its names, as people read them. */
interface NamedPair {
  readonly source: string;
  readonly target: string;
}

/** The columns that name a folder: one where every folder keeps its name, else one for each side. */
export class FolderColumns {
  readonly columns: readonly TableColumn[];

  constructor(folders: readonly NamedPair[]) {
    const isRenaming = folders.some(({ source, target }) => source !== target);
    const titles = isRenaming ? ['From', 'To'] : ['Folder'];
    this.columns = titles.map((title) => ({ title, shrinks: true }));
  }

  /** The cells of a folder. */
  cells({ source, target }: NamedPair): string[] {
    return this.text(toDisplay(source), toDisplay(target));
  }

  /** The cells of a row that is about no single folder. */
  text(first: string, second = ''): string[] {
    return this.columns.length === 1 ? [first] : [first, second];
  }
}
