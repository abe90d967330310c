/** As scripts/typescript/cheap-passphrases.js, for the built program that a test starts. */
import { DEFAULT_ARGON2_COST } from '../../dist/engine/crypto/argon2.js'

Object.assign(DEFAULT_ARGON2_COST, { memoryKiB: 64, passes: 1, lanes: 1 })
