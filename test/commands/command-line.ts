/** What is wrong with a command line: one line and the usage of the command, or one JSON document. */
import t from 'tap'
import { cliWorld } from '../helpers/cli.js'

const WRONG: [string[], RegExp, RegExp][] = [
  [['mout'], /^there is no command mout$/, /fsck, mount, passwd, status, umount/],
  [['mout', 'vault'], /^there is no command mout$/, /fsck, mount, passwd, status, umount/],
  [['--bogus'], /^a command is missing$/, /fsck, mount, passwd, status, umount/],
  [['mount'], /^MOUNTPOINT is missing$/, /^Usage: atefs mount MOUNTPOINT \[CHAIN\] \[FLAGS\]/],
  [['mount', '-o', 'ro'], /^MOUNTPOINT is missing$/, /^Usage: atefs mount MOUNTPOINT \[CHAIN\] \[FLAGS\]/],
  [['umount', 'a', 'b'], /^unexpected argument: b$/, /^Usage: atefs umount MOUNTPOINT \[FLAGS\]/],
  [['mount', '--bogus', 'x'], /^nonexistent flag: --bogus$/, /atefs mount --help/],
  [['mount', 'x', '--driver', 'foo'], /^expected --driver=foo to be one of: auto/, /^Usage: atefs mount /],
  [
    ['passwd', '--add', '--list'],
    /^--list=true cannot also be provided when using --add/,
    /^Usage: atefs passwd \[CHAIN\]/,
  ],
]

for (const [args, message, hint] of WRONG) {
  t.test(`atefs ${args.join(' ')}`, async (t) => {
    const world = cliWorld(t)
    const { code, stdout, stderr } = await world.run(args)
    t.equal(code, 2)
    t.equal(stdout, '')
    const [first = '', second = '', ...more] = stderr.trimEnd().split('\n')
    t.ok(first.startsWith('atefs: '), first)
    t.match(first.slice('atefs: '.length), message)
    t.match(second, hint)
    t.same(more, [], 'and no more than these two lines')
    const told = await world.run([...args, '--json'])
    t.equal(told.code, 2)
    t.match(told.json(), { error: { code: 'BAD_ARGUMENT', message, hint, exitCode: 2 } })
    t.equal(told.stderr, '')
  })
}

t.test('atefs --json has no command, and says so as JSON', async (t) => {
  const result = await cliWorld(t).run(['--json'])
  t.equal(result.code, 2)
  t.match(result.json(), { error: { code: 'BAD_ARGUMENT', message: 'a command is missing' } })
})
