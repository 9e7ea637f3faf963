/** Other programs that read mail on the disk, asked what they see. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const patienceMs = 60_000;

const readWithPython = `
import mailbox, sys
for message in (box := mailbox.mbox(sys.argv[1], create=False)).keys():
    print(box.get_bytes(message).hex())
`;

/** What Python's `mailbox.mbox` takes for the messages of a file, byte for byte. */
export function readMboxWithPython(file: string): Buffer[] {
  const output = execFileSync('python3', ['-c', readWithPython, file], {
    encoding: 'latin1',
    maxBuffer: 1024 * 1024 * 1024,
    timeout: patienceMs,
  });
  return output
    .split('\n')
    .slice(0, -1)
    .map((line) => Buffer.from(line, 'hex'));
}

const withTerminal = `
import os, pty, sys
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))
`;

/** True where `program` is installed. */
export function isInstalled(program: string, versionOption = '--version'): boolean {
  try {
    execFileSync(program, [versionOption], { stdio: 'ignore', timeout: patienceMs });
    return true;
  } catch {
    return false;
  }
}

/**
 * What mutt shows of a file, each message as it pipes it to a command. It wants a terminal.
 * `markRead`: the messages are marked, and the file is written when mutt leaves.
 */
export function readMboxWithMutt(
  file: string,
  options: { readonly markRead: boolean } = { markRead: false },
): Buffer[] {
  const dir = mkdtempSync(join(tmpdir(), 'imap-migrate-mutt-'));
  try {
    // Mutt asks for it otherwise.
    mkdirSync(join(dir, 'Mail'));
    const out = join(dir, 'messages');
    writeFileSync(join(dir, 'save.sh'), `n=$(ls "${dir}" | wc -l)\ncat > "${out}-$(printf %05d "$n")"\n`);
    writeFileSync(
      join(dir, 'muttrc'),
      [
        'set pipe_split pipe_decode=no wait_key=no quit=yes delete=yes move=no mark_old=no confirmappend=no timeout=1',
        'set sort=mailbox-order read_inc=0 write_inc=0 check_new=no',
        '',
      ].join('\n'),
    );
    const keys = [
      '<tag-pattern>~A<enter>',
      options.markRead ? '<tag-prefix><clear-flag>N<tag-pattern>~A<enter>' : '',
      `<tag-prefix-cond><pipe-message>sh ${join(dir, 'save.sh')}<enter><end-cond>`,
      options.markRead ? '<sync-mailbox>' : '',
      '<quit>',
    ].join('');
    const command = [
      'mutt',
      '-n',
      '-F',
      join(dir, 'muttrc'),
      ...(options.markRead ? [] : ['-R']),
      '-e',
      `push "${keys}"`,
    ];
    execFileSync('python3', ['-c', withTerminal, ...command, '-f', file], {
      env: { ...process.env, TERM: 'vt100', HOME: dir },
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: patienceMs,
    });
    const names = readdirSync(dir).filter((name) => name.startsWith('messages-'));
    return names.sort().map((name) => readFileSync(join(dir, name)));
  } finally {
    rmSync(dir, { recursive: true });
  }
}
