export const projectRoot: string;
export const scratchDir: string;
export const commandFile: string;
export class SetupError extends Error {}
export function checkNode(version?: string): void;
export function ensureInstalled(): void;
export function ensureBuilt(): void;
export function ensureReady(): void;
export function runScript(main: () => unknown): Promise<void>;
