import t from 'tap'
import { toHex } from '../../../src/engine/bytes/hex.js'
import { fromLatin1 } from '../../../src/engine/bytes/latin1.js'
import { checkArgon2Cost, DEFAULT_ARGON2_COST, deriveFromPassphrase } from '../../../src/engine/crypto/argon2.js'
import { ARGON2ID_VECTORS } from '../../fixtures/vectors/argon2.js'

t.test('the vectors of the reference implementation hold', async (t) => {
  for (const { passphrase, cost, key } of ARGON2ID_VECTORS) {
    t.equal(toHex(await deriveFromPassphrase(fromLatin1(passphrase), fromLatin1('somesalt'), cost)), key)
  }
})

t.test('the default cost is accepted', async (t) => {
  t.doesNotThrow(() => checkArgon2Cost(DEFAULT_ARGON2_COST))
})

t.test('absurd and invalid costs are refused before anything is spent', async (t) => {
  const absurd = [
    { memoryKiB: 2 ** 32 - 1, passes: 1, lanes: 1 },
    { memoryKiB: 1024 * 1024 + 1, passes: 1, lanes: 1 },
    { memoryKiB: 1024 * 1024, passes: 5, lanes: 1 },
    { memoryKiB: 8, passes: 2 ** 32 - 1, lanes: 1 },
    { memoryKiB: 64 * 1024, passes: 3, lanes: 65 },
    { memoryKiB: 31, passes: 1, lanes: 4 },
    { memoryKiB: 0, passes: 1, lanes: 1 },
    { memoryKiB: 64, passes: 0, lanes: 1 },
    { memoryKiB: 64, passes: 1, lanes: 0 },
    { memoryKiB: 64.5, passes: 1, lanes: 1 },
    { memoryKiB: NaN, passes: 1, lanes: 1 },
    { memoryKiB: -64, passes: -1, lanes: 1 },
  ]
  for (const cost of absurd) {
    t.throws(() => checkArgon2Cost(cost), { code: 'BAD_FORMAT' })
    await t.rejects(deriveFromPassphrase(Uint8Array.of(1), new Uint8Array(32), cost), { code: 'BAD_FORMAT' })
  }
})

t.test('an empty passphrase is refused', async (t) => {
  const cost = { memoryKiB: 8, passes: 1, lanes: 1 }
  await t.rejects(deriveFromPassphrase(new Uint8Array(0), new Uint8Array(32), cost), { code: 'EMPTY_PASSPHRASE' })
})
