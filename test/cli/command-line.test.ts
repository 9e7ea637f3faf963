import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../src/cli/command-line.ts';
import { ConfigError } from '../../src/errors.ts';

const parse = (...argv: string[]) => parseCommandLine(argv, { version: '9.8.7', columns: 100 });

describe('parseCommandLine', () => {
  it.each([
    [['a.ini', 'b.ini'], 'migrate', ['a.ini', 'b.ini']],
    [['plan', 'a.ini', 'b.ini'], 'plan', ['a.ini', 'b.ini']],
    [['verify', 'a.ini', 'b.ini'], 'verify', ['a.ini', 'b.ini']],
    [['check', 'a.ini'], 'check', ['a.ini']],
    [['check', 'a.ini', 'b.ini', 'c.ini'], 'check', ['a.ini', 'b.ini', 'c.ini']],
    [['demo'], 'demo', []],
    [['status'], 'status', []],
    [['status', '--state', 'x', '--json'], 'status', []],
    [['--', '-a.ini', '--b'], 'migrate', ['./-a.ini', './--b']],
    [['1', '2'], 'migrate', ['1', '2']],
    [['./check', 'b.ini'], 'migrate', ['./check', 'b.ini']],
  ] as const)('reads the command and the files of %j', (argv, kind, files) => {
    expect(parse(...argv)).toMatchObject({ kind, files });
  });

  it('has a default for every option', () => {
    const invocation = parse('a', 'b');
    expect(invocation.kind === 'migrate' && invocation.options).toEqual({
      map: [],
      include: [],
      exclude: [],
      'map-special-use': true,
      subscriptions: 'copy',
      'dry-run': false,
      digest: false,
      rebuild: false,
      wait: false,
      order: 'auto',
      compress: 'auto',
      flags: 'mirror',
      connections: 'auto',
      threads: 'auto',
      expand: false,
      mirror: false,
      index: false,
      'with-gone': false,
      layout: 'maildir++',
      'store-compress': 'none',
      fsync: 'batch',
      'allow-readable-secrets': false,
      json: false,
      progress: 'auto',
      quiet: false,
      verbose: false,
    });
  });

  it.each([
    [['--connections', '64'], { connections: 64 }],
    [['--connections=1'], { connections: 1 }],
    [['--connections', 'auto', '--threads=auto'], { connections: 'auto', threads: 'auto' }],
    [['--threads', '3'], { threads: 3 }],
    [['--order', 'any'], { order: 'any' }],
    [['--subscriptions=none'], { subscriptions: 'none' }],
    [['--no-map-special-use'], { 'map-special-use': false }],
    [['--map-special-use'], { 'map-special-use': true }],
    [['-n'], { 'dry-run': true }],
    [['-nv'], { 'dry-run': true, verbose: true }],
    [['--rebuild'], { rebuild: true }],
    [['--json', '--json'], { json: true }],
    [['--include', 'A', '--include', 'B/*'], { include: ['A', 'B/*'] }],
    [['--exclude', '\\Trash'], { exclude: ['\\Trash'] }],
    [['--exclude=-x'], { exclude: ['-x'] }],
    [['--state', '007'], { state: '007' }],
    [['--map', 'A=B'], { map: [{ from: 'A', to: 'B' }] }],
    [
      ['--map', 'A/x=B.y', '--map', 'C=D=E'],
      {
        map: [
          { from: 'A/x', to: 'B.y' },
          { from: 'C', to: 'D=E' },
        ],
      },
    ],
    [['--map', 'a\\=b=c\\=d'], { map: [{ from: 'a=b', to: 'c=d' }] }],
    [['--map', ' Entwürfe =Drafts'], { map: [{ from: ' Entwürfe ', to: 'Drafts' }] }],
  ] as const)('reads %j', (options, values) => {
    expect(parse('a', ...options, 'b')).toMatchObject({ kind: 'migrate', files: ['a', 'b'], options: values });
  });

  it.each([
    [[], /^which accounts\? imap-migrate SRC.ini DST.ini/],
    [['a.ini'], /^one account file is missing: imap-migrate SRC.ini DST.ini$/],
    [['plan', 'a.ini'], /^one account file is missing: imap-migrate plan SRC.ini DST.ini$/],
    [['verify'], /^which accounts\? imap-migrate verify SRC.ini DST.ini/],
    [['check'], /^which account\? imap-migrate check ACCOUNT.ini$/],
    [['a', 'b', 'c.ini'], /^'c.ini' is one argument too many/],
    [['status', 'a', 'b'], /^'a' is one argument too many/],
    [['statsu', 'a'], /did you mean 'status'\?/],
    [['status', '--connections=2'], /^--connections is not an option of status/],
    [
      ['plan', 'a', 'b', '--rebuild'],
      /^--rebuild is not an option of plan: it belongs to imap-migrate SRC DST, export$/,
    ],
    [['a', 'b', '-n', '--rebuild'], /^--rebuild: contradicts --dry-run/],
    [['demo', 'x'], /^'x' is one argument too many/],
    [['chekc', 'a.ini'], /^unknown command 'chekc', did you mean 'check'\?/],
    [['verfiy', 'a', 'b'], /did you mean 'verify'\?/],
    [['migrate', 'a', 'b'], /^migrating needs no command word/],
    [['--conections=3', 'a', 'b'], /^unknown option --conections, did you mean --connections\?/],
    [['--conections', '3', 'a'], /^unknown option --conections/],
    [['a', 'b', '--frobnicate'], /^unknown option --frobnicate \(see/],
    [['a', 'b', '-x'], /^unknown option -x /],
    [['a', 'b', '-nx'], /^unknown option -x /],
    [['a', 'b', '--constructor'], /^unknown option --constructor/],
    [['a', 'b', '--no-dry-rum'], /^unknown option --no-dry-rum/],
    [['a', 'b', '--password', 'hunter2'], /^unknown option --password \(see/],
    [['a', 'b', '--digest'], /^--digest is not an option of migrate: it belongs to verify$/],
    [
      ['check', 'a', '--map', 'A=B'],
      /^--map is not an option of check: it belongs to imap-migrate SRC DST, plan, verify$/,
    ],
    [['a', 'b', '--json=yes'], /^--json takes no value$/],
    [['a', 'b', '--state'], /^--state needs a value/],
    [['a', '--map', '--json', 'b'], /^--map needs a value/],
    [['a', 'b', '--state='], /^--state: needs a value/],
    [['a', 'b', '--connections=abc'], /^--connections: 'abc' is neither auto nor a whole number from 1 to 64/],
    [['a', 'b', '--connections', '0'], /^--connections: '0' is neither auto nor a whole number from 1 to 64/],
    [['a', 'b', '--connections', '65'], /^--connections: '65' is neither auto nor a whole number from 1 to 64/],
    [['a', 'b', '--connections', '1.5'], /^--connections: '1.5' is neither/],
    [['a', 'b', '--connections', '1e1'], /^--connections: '1e1' is neither/],
    [['a', 'b', '--connections=-1'], /^--connections: '-1' is neither/],
    [['a', 'b', '--connections='], /^--connections: '' is neither/],
    [['a', 'b', '--connections', '2', '--connections', '3'], /^--connections: given more than once/],
    [['a', 'b', '--threads', '99999999999'], /^--threads: '99999999999' is neither/],
    [['a', 'b', '--order', 'best'], /^--order: 'best' is none of auto, source, any/],
    [['a', 'b', '--progress', 'Auto'], /^--progress: 'Auto' is none of auto, always, never/],
    [['a', 'b', '--log', 'x', '--log', 'y'], /^--log: given more than once/],
    [['a', 'b', '--map', 'A'], /^--map: 'A' is not of the form "A=B"/],
    [['a', 'b', '--map', '=B'], /^--map: '=B' is not of the form/],
    [['a', 'b', '--map', 'A='], /^--map: 'A=' is not of the form/],
    [['a', 'b', '--map', 'A\\=B'], /^--map: 'A\\=B' is not of the form/],
    [['a', 'b', '--map', 'A=B', '--map', 'A=C'], /^--map: 'A' is mapped more than once/],
    [['a', 'b', '-q', '--verbose'], /^--quiet: contradicts --verbose/],
  ] as const)('refuses %j by name', (argv, message) => {
    expect(() => parse(...argv)).toThrow(message);
    expect(() => parse(...argv)).toThrow(ConfigError);
  });

  it('tells every wrong value at once', () => {
    expect(() => parse('a', 'b', '--order=x', '--threads=y')).toThrow(/--order: 'x' .*; --threads: 'y' /);
  });

  it('says no secret back: the value of an unknown option is not repeated', () => {
    expect(() => parse('a', 'b', '--password=hunter2')).toThrow(/^(?!.*hunter2)/);
  });

  it.each([[['--help']], [['-h']], [['help']], [['plan', '--help']], [['check', '-h', '--nonsense']]] as const)(
    'answers %j with help instead of running',
    (argv) => {
      const invocation = parse(...argv);
      expect(invocation).toMatchObject({ kind: 'text', text: expect.stringContaining('imap-migrate') });
      expect(invocation.kind === 'text' && invocation.text.match(/^Exit codes:$/gm)).toHaveLength(1);
    },
  );

  it('lists in the help of a command its own options only', () => {
    const help = parse('check', '--help');
    expect(help.kind === 'text' && help.text).toContain('--allow-readable-secrets');
    expect(help.kind === 'text' && help.text).not.toContain('--map');
  });

  it('answers --version with the version', () => {
    expect(parse('--version')).toEqual({ kind: 'text', text: '9.8.7\n' });
  });
});
