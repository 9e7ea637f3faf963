import type { FolderInfo, MappingOptions, MappingSide, SpecialUse } from '../../src/plan/types.ts';

/** What a test says about a folder; the rest is as usual. */
export interface FolderSketch {
  readonly use?: SpecialUse;
  readonly selectable?: boolean;
  readonly delimiter?: string | null;
}

export type FolderSketches = Readonly<Record<string, FolderSketch>> | readonly string[];

/** A side whose folders are listed in the given order. */
export function side(delimiter: string | null, prefix: string, folders: FolderSketches): MappingSide {
  const sketches: [string, FolderSketch][] = Array.isArray(folders)
    ? folders.map((name) => [name, {}])
    : Object.entries(folders);
  return {
    naming: { delimiter, prefix },
    folders: sketches.map(([name, sketch]) => folder(name, { delimiter, ...sketch })),
  };
}

export function folder(name: string, sketch: FolderSketch = {}): FolderInfo {
  return {
    rawName: name,
    name,
    delimiter: sketch.delimiter === undefined ? '/' : sketch.delimiter,
    specialUse: sketch.use ?? null,
    selectable: sketch.selectable ?? true,
    subscribed: false,
    status: null,
  };
}

export function options(changes: Partial<MappingOptions> = {}): MappingOptions {
  return { map: [], include: [], exclude: [], mapSpecialUse: true, ...changes };
}
