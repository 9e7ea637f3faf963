import { appendCommands } from './append-command.ts';
import type { CommandTable } from './command.ts';
import { fetchCommands } from './fetch-command.ts';
import { folderCommands } from './folder-commands.ts';
import { listCommands } from './list-command.ts';
import { loginCommands } from './login-commands.ts';
import { messageCommands } from './message-commands.ts';
import { quotaCommands } from './quota-commands.ts';
import { searchCommands } from './search-command.ts';
import { sessionCommands } from './session-commands.ts';

/** Every command the sandbox understands, by its name in upper case. */
export const commands: CommandTable = {
  ...sessionCommands,
  ...loginCommands,
  ...folderCommands,
  ...listCommands,
  ...fetchCommands,
  ...searchCommands,
  ...messageCommands,
  ...appendCommands,
  ...quotaCommands,
};
