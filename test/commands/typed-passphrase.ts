/** A passphrase typed on a terminal: when a chain is made, and when it is mounted again. */
import { existsSync, readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { BIN, cliWorld, mountpointsBelow, shell, type CliWorld } from '../helpers/cli.js'
import { onTerminal, type TerminalEnd } from '../helpers/terminal.js'

const ENTER = '\r'
const CTRL_C = '\x03'
const CTRL_D = '\x04'

/** `atefs mount` of the vault on a terminal. */
function mount(world: CliWorld, ...answers: string[]): Promise<TerminalEnd> {
  const line = `"${process.execPath}" "${BIN}" mount "${world.path('vault')}"`
  return onTerminal(line, world.environment, answers)
}

/** Nothing was mounted, no chain made, and no directory for it. */
function leavesNothing(t: Test, world: CliWorld): void {
  t.same(mountpointsBelow(world.directory), [])
  t.notOk(existsSync(world.path('vault')))
  t.notOk(existsSync(world.path('data/atefs/vault/manifest')))
  t.notOk(existsSync(world.path('data/atefs/vault/keyring')))
}

t.test('it is asked for twice when a chain is made, once afterwards, and never shown', async (t) => {
  const world = cliWorld(t)
  const made = await mount(world, `correct horse${ENTER}`, `correct horse${ENTER}`)
  t.equal(made.code, 0, made.shown)
  t.match(made.shown, /New passphrase for vault: \r?\n.*The same again: \r?\n/)
  t.match(made.shown, 'Created a new, empty chain vault')
  t.notMatch(made.shown, 'horse')
  await shell(`echo kept > ${world.path('vault/file')}`)
  t.equal((await world.run(['umount', world.path('vault')])).code, 0)

  const wrong = await mount(world, `correct hors${ENTER}`)
  t.equal(wrong.code, 12, wrong.shown)
  t.match(wrong.shown, /passphrase/i)
  t.notMatch(wrong.shown, 'hors')
  t.same(mountpointsBelow(world.directory), [])

  const again = await mount(world, `correct horse${ENTER}`)
  t.equal(again.code, 0, again.shown)
  t.match(again.shown, /^Passphrase for vault: \r?\n/)
  t.notMatch(again.shown, /again:|horse/)
  t.equal(await shell(`cat ${world.path('vault/file')}`), 'kept\n')
  await world.run(['umount', world.path('vault')])

  const same = await world.run(['mount', world.path('vault')], { input: 'correct horse\n' })
  t.equal(same.code, 0, 'what was typed is what a pipe would give')
})

t.test('two that differ make no chain', async (t) => {
  const world = cliWorld(t)
  const differing = await mount(world, `first${ENTER}`, `second${ENTER}`)
  t.equal(differing.code, 2, differing.shown)
  t.match(differing.shown, /the two passphrases differ/)
  leavesNothing(t, world)
})

t.test('an empty one, the end of input and Ctrl-C make no chain', async (t) => {
  const world = cliWorld(t)
  t.equal((await mount(world, ENTER)).code, 22)
  t.equal((await mount(world, CTRL_D)).code, 9)
  t.equal((await mount(world, `first${ENTER}`, CTRL_C)).code, 130)
  leavesNothing(t, world)
})

t.test('what is typed before the next question is there is not shown', async (t) => {
  const world = cliWorld(t)
  t.equal((await mount(world, `old words${ENTER}`, `old words${ENTER}`)).code, 0)
  await world.run(['umount', world.path('vault')])
  const line = `"${process.execPath}" "${BIN}" passwd vault`
  // The slot of the first answer takes a while to open.
  const ahead = [`old words${ENTER}`, ...Array.from('typed ahead'), ENTER]
  const end = await onTerminal(line, world.environment, [ahead, '', `typed ahead${ENTER}`])
  t.equal(end.code, 0, end.shown)
  t.match(end.shown, /^Passphrase for vault: \r?\nNew passphrase for vault: \r?\nThe same again: \r?\n/)
})

t.test(
  'Ctrl-C between the questions of passwd ends it, changes nothing, and leaves the terminal as it was',
  async (t) => {
    const world = cliWorld(t)
    t.equal((await mount(world, `old words${ENTER}`, `old words${ENTER}`)).code, 0)
    await world.run(['umount', world.path('vault')])
    const keyring = world.path('data/atefs/vault/keyring')
    const before = readFileSync(keyring)
    const modes = `stty -a | tr ' ' '\\n' | grep -xE -- '-?(echo|isig|icanon);?' | tr '\\n' ' '`
    const line = `"${process.execPath}" "${BIN}" passwd vault; echo "ended with $?"; ${modes}`
    // While the slot of the first answer is being opened.
    for (const pieces of [
      [`old words${ENTER}`, CTRL_C],
      [`old words${ENTER}new`, CTRL_C],
    ]) {
      const { shown } = await onTerminal(line, world.environment, [pieces])
      t.match(shown, /ended with 130\r?\n/)
      t.match(shown, /isig icanon echo/)
      t.notMatch(shown, /words|new(?! passphrase)/)
    }
    t.same(readFileSync(keyring), before)
  },
)
