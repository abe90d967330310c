import t from 'tap'
import { nobleProvider } from '../../../src/engine/crypto/noble-provider.js'
import { cryptoProvider } from '../../contract/crypto-provider.js'

await cryptoProvider(t, nobleProvider)
