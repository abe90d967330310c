/** What opens a chain comes from its server: a keyring that is another's, or was changed, opens nothing and replaces nothing. */
import t from 'tap'
import type { ChainSecret } from '../../../src/adapters/node/chain-handle.js'
import { prepareReplica, type PrepareReplicaOptions } from '../../../src/adapters/node/prepare-replica.js'
import { nativeCrypto } from '../../../src/adapters/node/native-crypto.js'
import { addSlot, listSlots, removeSlot } from '../../../src/engine/keyring/keyring.js'
import { MAX_KEYRING_BYTES } from '../../../src/engine/limits.js'
import { MemoryStorage } from '../../../src/engine/log/index.js'
import { Relay } from '../../helpers/relay.js'
import { linkTo } from '../../helpers/remote-chains.js'
import { failure } from '../../helpers/wire.js'

const SECRET: ChainSecret = { kind: 'passphrase', passphrase: Buffer.from('a passphrase') }

t.test('the keyring of another chain, or a changed one, is refused by name', async (t) => {
  const relay = new Relay()
  const link = linkTo(relay)
  t.teardown(() => link.close())
  const options = (chain: string, storage: MemoryStorage): PrepareReplicaOptions => ({
    storage,
    link,
    isOwner: () => true,
    chain,
    secret: SECRET,
    keyBits: 128,
    noCreate: false,
    wasServed: false,
    mayBeAway: false,
    timeoutMs: 5000,
  })
  const copy = new MemoryStorage()
  await prepareReplica(options('notes', copy))
  await prepareReplica(options('others', new MemoryStorage()))
  const [notes, others] = [relay.chains.get('notes'), relay.chains.get('others')]
  if (notes === undefined || others === undefined || others.keyring === null) throw new Error('they were not made')
  const ours = notes.keyring
  notes.keyring = others.keyring
  t.equal(await failure(prepareReplica(options('notes', new MemoryStorage()))), 'OTHER_CHAIN', 'a new copy')
  t.equal(await failure(prepareReplica(options('notes', copy))), 'OTHER_CHAIN', 'one that was there')
  const changed = others.keyring.slice()
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1
  notes.keyring = changed
  t.not(await failure(prepareReplica(options('notes', copy))), 'resolved', 'a changed one')
  t.strictSame(await copy.readSmall('keyring', MAX_KEYRING_BYTES), ours, 'what was there is there still')
  notes.keyring = ours
  t.equal(await failure(prepareReplica(options('notes', copy))), 'resolved')

  // Somebody changes the passphrases of the copy; the server shows what was before.
  if (ours === null) throw new Error('it has a passphrase')
  const [old, changedTo] = [Buffer.from('a passphrase'), Buffer.from('another one')]
  const both = await addSlot(nativeCrypto, ours, old, { passphrase: changedTo, label: 'second' })
  const [first] = listSlots(both)
  const later = await removeSlot(nativeCrypto, both, changedTo, first?.id ?? '')
  await copy.replaceSmall('keyring', later)
  t.equal(await failure(prepareReplica(options('notes', copy))), 'WRONG_PASSPHRASE', 'a revoked one stays revoked')
  const withNew = { ...options('notes', copy), secret: { kind: 'passphrase', passphrase: changedTo } } as const
  t.equal(await failure(prepareReplica(withNew)), 'resolved', 'ours opens')
  t.strictSame(await copy.readSmall('keyring', MAX_KEYRING_BYTES), later)
  notes.keyring = later
  await copy.replaceSmall('keyring', ours)
  t.equal(await failure(prepareReplica(withNew)), 'resolved', 'what was changed later is taken')
  t.strictSame(await copy.readSmall('keyring', MAX_KEYRING_BYTES), later)
})
