/**
 * Preloaded by tests: opening a chain by its passphrase is made slow on purpose, 0.3 s each, which no test needs. What it is for
 * everybody else is tested in test/engine/keyring/cost.ts.
 */
import { DEFAULT_ARGON2_COST } from '../../src/engine/crypto/argon2.js'

Object.assign(DEFAULT_ARGON2_COST, { memoryKiB: 64, passes: 1, lanes: 1 })
