/**
 * The command `imap-migrate`.
 */
import { startThreadsAhead } from './threads-ahead.ts';

startThreadsAhead(process.argv.slice(2));
void import('./cli/main.ts');
