const ascii = /^[\x20-\x7e]*$/;

/** Text as a search compares it: without case, accents and differences of width; blanks are one each. */
export function fold(text: string): string {
  const lower = text.toLowerCase();
  if (ascii.test(lower)) return lower;
  return lower
    .normalize('NFKD')
    .replaceAll(/[\u0300-\u036f]+/g, '')
    .replaceAll('ß', 'ss')
    .replaceAll(/\s+/g, ' ');
}
