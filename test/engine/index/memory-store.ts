import t from 'tap'
import { MemoryStore } from '../../../src/engine/index/memory-store.js'
import { orderedStore } from '../../contract/ordered-store.js'

await orderedStore(t, () => new MemoryStore())
