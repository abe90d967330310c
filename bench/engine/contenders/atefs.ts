import { run } from '../../lib/command.js'
import {
  AteConfig,
  AteSession,
  ChainBuilder,
  dataType,
  objectKey,
  plain,
  writeKeyFromSeed,
} from '../../../src/index.js'
import type { Contender } from '../contender.js'

const Blob = dataType('Blob', plain<{ data: Uint8Array }>())

/** Plain, or of distributed trust with everything signed by one key. */
function contender(trust: 'local' | 'distributed'): Contender {
  const isSigned = trust === 'distributed'
  return {
    name: isSigned ? 'atefs, signed' : 'atefs',
    does: `stores typed objects in a transaction and commits it${isSigned ? ', signed with Ed25519 and ML-DSA-65' : ''}`,
    parts: ['append', 'load', 'open'],
    hasTarget: !isSigned,
    version: async () => `atefs ${(await run('git', ['rev-parse', '--short', 'HEAD']).catch(() => '')).trim()}`,
    open: async (directory, durability) => {
      // Anchors lie there: beside the chain, on the same disk.
      process.env['XDG_STATE_HOME'] = directory
      const root = writeKeyFromSeed(new Uint8Array(64).fill(1))
      const session = new AteSession(isSigned ? { writeKeys: [root] } : {})
      const chain = await new ChainBuilder(
        AteConfig.default().with({ logPath: directory, trust, ...(isSigned ? { rootKeys: [root] } : {}) }),
      ).open('bench')
      return {
        append: async (objects) => {
          const dio = chain.dioMut(session)
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
}

export const atefs = contender('local')
export const atefsSigned = contender('distributed')
