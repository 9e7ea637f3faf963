import { ByteCache } from './byte-cache.ts';

/** A section as one spells it: upper case, header names unquoted. */
export interface SectionName {
  /** `[HEADER.FIELDS (MESSAGE-ID)]`, `[]` for the whole message. */
  readonly text: string;
  /** The same behind `BODY`: a key of `FetchData.sections`. */
  readonly ofBody: string;
}

/** By the bytes of `(…)`. The lists are frozen: all who ask share them. */
export const knownFlagLists = new ByteCache<readonly string[]>(0x29);

/** By the bytes of `[…]`. */
export const knownSections = new ByteCache<SectionName>(0x5d);
