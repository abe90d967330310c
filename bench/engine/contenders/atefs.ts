import { run } from '../../lib/command.js'
import { AteConfig, ChainBuilder, dataType, objectKey, plain } from '../../../src/index.js'
import type { Contender } from '../contender.js'

const Blob = dataType('Blob', plain<{ data: Uint8Array }>())

export const atefs: Contender = {
  name: 'atefs',
  does: 'stores typed objects in a transaction and commits it',
  parts: ['append', 'load', 'open'],
  version: async () => `atefs ${(await run('git', ['rev-parse', '--short', 'HEAD']).catch(() => '')).trim()}`,
  open: async (directory, durability) => {
    // Anchors lie there: beside the chain, on the same disk.
    process.env['XDG_STATE_HOME'] = directory
    const chain = await new ChainBuilder(AteConfig.default().with({ logPath: directory })).open('bench')
    return {
      append: async (objects) => {
        const dio = chain.dioMut()
        const keys = objects.map((data) => dio.store({ data }, { type: Blob }).key)
        await dio.commit({ durability })
        return keys
      },
      settle: () => chain.sync(),
      get: async (key) => (await chain.dio().load(Blob, objectKey(key))).data,
      close: () => chain.close(),
    }
  },
}
