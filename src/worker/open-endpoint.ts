import { type EndpointSettings, isTree } from '../account.ts';
import type { Clock } from '../clock.ts';
import type { Side } from '../job.ts';
import type { Endpoint } from './endpoint.ts';
import { SideError } from './failure.ts';
import { ImapEndpoint } from './imap-endpoint.ts';
import type { Connect } from './login.ts';

/**
 * One side of a lane, ready for work.
 * @throws SideError around what went wrong.
 */
export async function openEndpoint(
  side: Side,
  settings: EndpointSettings,
  connect: Connect,
  clock: Clock,
  options: { readonly readOnly: boolean },
): Promise<Endpoint> {
  if (!isTree(settings)) return await ImapEndpoint.open(side, settings, connect, clock);
  try {
    const { TreeEndpoint } = await import('./tree-endpoint.ts');
    return await TreeEndpoint.open(side, settings, options);
  } catch (error) {
    throw new SideError(side, settings, error);
  }
}
