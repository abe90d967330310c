import t from 'tap'
import { MemoryStorage } from '../../../src/engine/log/memory-storage.js'
import { logStorage } from '../../contract/log-storage.js'
import { FaultStorage } from '../../helpers/fault-storage.js'

await t.test('memory', (t) =>
  logStorage(t, () => {
    const storage = new MemoryStorage()
    return { storage, again: () => storage }
  }),
)

await t.test('the simulated medium of the crash tests', (t) =>
  logStorage(t, () => {
    const storage = new FaultStorage()
    return { storage, again: () => storage }
  }),
)
