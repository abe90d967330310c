/** The server's batch where this side has another: it is believed only when it is one of the chain's, and never against its own word. */
import t from 'tap'
import { divergence } from '../../src/client/divergence.js'
import { Diverged } from '../../src/client/set-aside.js'
import { batchVerifier } from '../../src/engine/log/index.js'
import { LocalChain } from '../helpers/chain-server.js'
import { keys } from '../helpers/log-workbench.js'
import { crypto, failure } from '../helpers/wire.js'

t.test('only an authentic batch behind the common history sets aside what was committed here', async (t) => {
  const chain = await LocalChain.make(10, 20)
  const [batch] = await chain.batches(2, 2)
  if (batch === undefined) throw new Error('there is no batch')
  const known = (sequence: number): { sequence: number; digest: Uint8Array } => ({ sequence, digest: batch.digest })
  const common = {
    known: known(1),
    verify: batchVerifier(crypto, keys, 'local'),
    hasBatch: () => Promise.resolve(true),
  }
  const found = await divergence(batch.bytes, common)
  t.match(found, { code: 'COMMIT_SET_ASIDE', sequence: 1 })
  t.ok(found instanceof Diverged)
  t.match(await divergence(batch.bytes, { ...common, known: known(2) }), { code: 'CHAIN_FORKED' }, 'it was accepted')
  const unrelated = { ...common, hasBatch: () => Promise.resolve(false) }
  t.match(await divergence(batch.bytes, unrelated), { code: 'CHAIN_FORKED' }, 'it follows nothing that is here')
  const head = batch.bytes.head.slice()
  const last = head.length - 1
  head.set([(head[last] ?? 0) ^ 1], last)
  t.equal(await failure(divergence({ ...batch.bytes, head }, common)), 'BATCH_REFUSED', 'the server cannot make one')
})
