/** What opens a chain comes from its server: a keyring that is another's, or was changed, opens nothing and replaces nothing. */
import t from 'tap'
import type { ChainSecret } from '../../../src/adapters/node/chain-handle.js'
import { prepareReplica, type PrepareReplicaOptions } from '../../../src/adapters/node/prepare-replica.js'
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
})
