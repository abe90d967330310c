import { join } from 'node:path'
import { open } from 'lmdb'
import { type Contender, demand } from '../contender.js'
import { packageVersion } from '../package-version.js'

export const lmdb: Contender = {
  name: 'lmdb',
  does: 'puts values under ascending numbers in a transaction; neither hashed nor sealed; `memory` without any sync',
  parts: ['append', 'load', 'open'],
  hasTarget: false,
  version: () => packageVersion('lmdb'),
  open: (directory, durability) => {
    const database = open<Uint8Array, number>({
      path: join(directory, 'data'),
      encoding: 'binary',
      overlappingSync: false,
      eventTurnBatching: false,
      noSync: durability === 'memory',
    })
    const [last = -1] = database.getKeys({ reverse: true, limit: 1 })
    let next = last + 1
    return Promise.resolve({
      append: (objects) => {
        const first = next
        database.transactionSync(() => {
          for (const object of objects) database.putSync(next++, object)
        })
        return Promise.resolve(objects.map((_, i) => String(first + i)))
      },
      settle: () => Promise.resolve(),
      get: (key) => Promise.resolve(demand(database.getBinary(Number(key)), `value ${key}`)),
      close: () => database.close(),
    })
  },
}
