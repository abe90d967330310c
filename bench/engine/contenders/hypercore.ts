import Hypercore from 'hypercore'
import { type Contender, demand } from '../contender.js'
import { packageVersion } from '../package-version.js'

export const hypercore: Contender = {
  name: 'hypercore',
  does: 'appends blocks: hashed, in a signed Merkle tree; neither sealed nor synced, whatever is asked for',
  parts: ['append', 'load', 'open'],
  hasTarget: true,
  version: () => packageVersion('hypercore'),
  open: async (directory) => {
    const core = new Hypercore(directory)
    await core.ready()
    return {
      append: async (objects) => {
        const { length } = await core.append(objects)
        return objects.map((_, i) => String(length - objects.length + i))
      },
      settle: () => Promise.resolve(),
      get: async (key) => demand(await core.get(Number(key)), `block ${key}`),
      close: () => core.close(),
    }
  },
}
