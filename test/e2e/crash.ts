/**
 * SIGKILL to the daemon under load, many times over. After each: exactly a prefix of what was answered, and all that was
 * fsynced. `ATEFS_CRASH_ROUNDS=500 npm test -- test/e2e/crash.ts` tries harder.
 */
import t from 'tap'
import { crashRound, makeWriters } from '../helpers/crash/round.js'
import { progressOf } from '../helpers/progress.js'
import { userToTest } from '../helpers/user.js'
import { Vault } from '../helpers/vault.js'

const ROUNDS = Number(process.env['ATEFS_CRASH_ROUNDS'] ?? 8)
/** A fresh chain after so many: the model replays a chain's whole history for each round. */
const ROUNDS_OF_A_CHAIN = 8
const WRITERS = 3
const MOST_CHANGES = 4000

const firstSeed = Number(process.env['ATEFS_CRASH_SEED'] ?? Date.now() % 1_000_000)

const step = progressOf('kills', ROUNDS * userToTest().length)

for (let start = 0; start < ROUNDS; start += ROUNDS_OF_A_CHAIN) {
  for (const user of userToTest()) {
    t.test(`kill -9 under load, as ${user.title}, from seed ${firstSeed + start}`, { timeout: 600_000 }, async (t) => {
      const vault = Vault.create(t, user)
      await vault.mount()
      const writers = await makeWriters(vault, WRITERS)
      for (let round = start; round < Math.min(ROUNDS, start + ROUNDS_OF_A_CHAIN); round++) {
        const seed = firstSeed + round
        const changes = 30 + ((seed * 2654435761) % MOST_CHANGES)
        const { answered, lost } = await crashRound(vault, writers, seed, changes)
        step()
        t.pass(`round ${round}: ${answered} calls answered, the last ${lost} undone`)
      }
      await vault.unmount()
    })
  }
}
