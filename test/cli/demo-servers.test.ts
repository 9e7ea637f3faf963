import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { openDemoServers } from '../../src/cli/demo-servers.ts';

async function greetingOf(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return chunk.toString('latin1');
}

describe('openDemoServers', () => {
  it('starts two servers on loopback with accounts of their own, and leaves nothing behind', async () => {
    const exitListeners = process.listenerCount('exit');
    const servers = await openDemoServers();
    const { source, target, stateDir } = servers;
    expect(readdirSync(stateDir)).toEqual([]);
    expect(servers.messages).toBeGreaterThan(300);
    expect([source.host, target.host]).toEqual(['127.0.0.1', '127.0.0.1']);
    expect([source.username, target.username]).toEqual(['old', 'new']);
    expect(source.port).not.toBe(target.port);
    for (const { port } of [source, target]) expect(await greetingOf(port)).toMatch(/^\* OK /);
    await servers.close();
    expect(existsSync(stateDir)).toBe(false);
    for (const { port } of [source, target]) await expect(greetingOf(port)).rejects.toThrow('ECONNREFUSED');
    expect(process.listenerCount('exit')).toBe(exitListeners);
  });

  it('gives each demo a password of its own', async () => {
    const [one, two] = [await openDemoServers(), await openDemoServers()];
    expect(one.source.secret).not.toBe(two.source.secret);
    expect(one.source.secret.length).toBeGreaterThan(12);
    await Promise.all([one.close(), two.close()]);
  });
});
