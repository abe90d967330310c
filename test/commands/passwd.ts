/** Key slots through the program: whoever has a passphrase opens the chain, and nobody else. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { nativeCrypto } from '../../src/adapters/node/native-crypto.js'
import { errorCode } from '../../src/engine/error.js'
import { openKeyring } from '../../src/engine/keyring/keyring.js'
import { cliWorld, type CliResult, type CliWorld } from '../helpers/cli.js'

interface Slot {
  id: string
  label: string
}

class Chain {
  readonly #world: CliWorld

  private constructor(world: CliWorld) {
    this.#world = world
  }

  static async make(t: Test, passphrase: string): Promise<Chain> {
    const world = cliWorld(t)
    const mounted = await world.run(['mount', world.path('vault')], { input: passphrase })
    t.equal(mounted.code, 0, mounted.stderr)
    await world.run(['umount', world.path('vault')])
    return new Chain(world)
  }

  /** Whether a passphrase opens the chain. */
  async opens(passphrase: string): Promise<boolean> {
    try {
      await openKeyring(nativeCrypto, this.keyring(), Buffer.from(passphrase))
      return true
    } catch (error) {
      if (errorCode(error) === 'WRONG_PASSPHRASE') return false
      throw error
    }
  }

  /** The old passphrase on standard input, the new one in a file. */
  passwd(args: string[], old: string, added?: string): Promise<CliResult> {
    const passfile = this.#world.path('new')
    if (added !== undefined) writeFileSync(passfile, added)
    return this.#world.run(['passwd', ...args, ...(added === undefined ? [] : ['--new-passfile', passfile])], {
      input: old,
    })
  }

  async slots(): Promise<Slot[]> {
    return (await this.passwd(['--list', '--json'], '')).json()['slots'] as Slot[]
  }

  keyring(): Buffer {
    return readFileSync(this.#world.path('data/atefs/vault/keyring'))
  }

  restore(keyring: Buffer): void {
    writeFileSync(this.#world.path('data/atefs/vault/keyring'), keyring)
  }
}

t.test('a changed passphrase replaces the old one, and a copy of the old keyring is as it was', async (t) => {
  const chain = await Chain.make(t, 'first')
  const copy = chain.keyring()
  const changed = await chain.passwd([], 'first', 'second')
  t.equal(changed.code, 0, changed.stderr)
  t.match(changed.stderr, /copy of the old keyring/)
  t.notOk(await chain.opens('first'))
  t.ok(await chain.opens('second'))
  chain.restore(copy)
  t.ok(await chain.opens('first'))
})

t.test('slots are added, listed and removed', async (t) => {
  const chain = await Chain.make(t, 'first')
  t.equal((await chain.passwd(['vault', '--add', '--label', 'office'], 'first', 'second')).code, 0)
  const slots = await chain.slots()
  t.same(
    slots.map(({ label }) => label),
    ['first', 'office'],
  )
  t.ok(await chain.opens('second'))
  const [first] = slots
  t.equal((await chain.passwd(['--remove', first?.id ?? ''], 'second')).code, 0)
  t.notOk(await chain.opens('first'))
  t.ok(await chain.opens('second'))
  t.match(await chain.slots(), [{ label: 'office' }])
})

t.test('what is refused changes nothing', async (t) => {
  const chain = await Chain.make(t, 'first')
  const before = chain.keyring()
  const [slot] = await chain.slots()
  t.equal((await chain.passwd([], 'wrong', 'second')).code, 12)
  t.equal((await chain.passwd([], 'first', '')).code, 22)
  t.equal((await chain.passwd(['--remove', slot?.id ?? ''], 'first')).code, 27, 'the last slot')
  t.equal((await chain.passwd(['--remove', '0123456789abcdef'], 'first')).code, 27, 'no such slot')
  t.equal((await chain.passwd(['--add', '--list'], 'first')).code, 2)
  t.equal((await chain.passwd(['other'], 'first')).code, 6)
  t.same(chain.keyring(), before)
})

t.test('without a name the only chain is meant; without a passphrase there is none to change', async (t) => {
  const world = cliWorld(t)
  t.equal((await world.run(['passwd', '--list'])).code, 6)
  mkdirSync(world.path('data/atefs/other'), { recursive: true })
  for (const name of ['a', 'b']) {
    await world.run(['mount', world.path(name), '--no-auth'])
    await world.run(['umount', world.path(name)])
    const { code, stderr } = await world.run(['passwd', '--list'])
    t.equal(code, 2)
    t.match(stderr, name === 'a' ? /a has no passphrase/ : /several chains.*\n.*a, b/)
  }
  t.same(readdirSync(world.path('data/atefs')), ['a', 'b', 'other'])
})
