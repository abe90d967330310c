import t from 'tap'
import { memoryTransports } from '../../src/wire/index.js'
import { wireContract } from '../contract/wire.js'

await wireContract(t, async () => memoryTransports())
