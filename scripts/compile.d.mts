export function compile(outDir: string, folder: string, complaint: string): void;
