import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type CliEvent, eventSchema, writeEventLine } from '../../src/cli/event-lines.ts';
import type { JobEvent } from '../../src/job.ts';
import { createFakeIo } from './fake-io.ts';

/** Every kind there is; a new one does not compile before it stands here, and the test below fails before it is described. */
const kinds: Readonly<Record<(JobEvent | CliEvent)['kind'], true>> = {
  started: true,
  connected: true,
  planned: true,
  connections: true,
  waiting: true,
  resumed: true,
  'folder-started': true,
  progress: true,
  refused: true,
  warning: true,
  'folder-finished': true,
  finished: true,
  account: true,
  verified: true,
  'tree-verified': true,
  status: true,
  folder: true,
  message: true,
  indexed: true,
  stopping: true,
  error: true,
  exit: true,
};

const description = readFileSync(new URL('../../docs/EVENTS.md', import.meta.url), 'utf8');

describe('docs/EVENTS.md', () => {
  it('describes every kind of event, and no other', () => {
    const described = [...description.matchAll(/^### `([\w-]+)`$/gm)].map((match) => match[1]);
    expect(described.sort()).toEqual(Object.keys(kinds).sort());
  });

  it('names the schema version that is written', () => {
    expect(description).toContain(`"schema":${eventSchema},`);
  });

  it('holds only examples that are JSON', () => {
    const blocks = [...description.matchAll(/^```json\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? '');
    expect(blocks.length).toBeGreaterThan(2);
    for (const line of blocks.flatMap((block) => block.trimEnd().split('\n'))) {
      expect(JSON.parse(line)).toMatchObject({ schema: eventSchema, event: expect.stringMatching(/^[\w-]+$/) });
    }
  });
});

describe('writeEventLine', () => {
  it('puts schema, time and kind first and stays on one line', () => {
    const io = createFakeIo();
    writeEventLine(io, { kind: 'warning', folder: 'a\nb', message: '\u001b[2J' });
    expect(io.stdout.text).toBe(
      '{"schema":1,"time":"2026-01-02T03:04:05.000Z","event":"warning","folder":"a\\nb","message":"\\u001b[2J"}\n',
    );
  });
});
