/** Who may do what with which chain here: chains of other servers are refused, and new ones until accounts exist. */
import { nativeCrypto } from '../adapters/node/native-crypto.js'
import { AteError } from '../engine/error.js'
import type { Wish } from '../server/index.js'
import { failure } from '../sync/index.js'
import { serversOfChain } from '../sync/servers-of-chain.js'
import { parseChainUrl, serverName } from '../wire/index.js'
import type { NodeTable } from './nodes.js'

/** `auth`: the server that would say who may make a chain. Undefined: anybody may. */
export function admission(
  auth: string | undefined,
  { nodes, own }: NodeTable,
): (wish: Pick<Wish, 'kind' | 'chain'>) => void {
  return ({ kind, chain }) => {
    if (kind === 'list') return
    const [first = own] = serversOfChain(nativeCrypto, canonical(chain), nodes)
    const server = serverName(first)
    if (server !== serverName(own))
      throw failure('OTHER_SERVER', `The chain belongs to the server ${server}.`, { server })
    if (kind === 'create' && auth !== undefined) {
      const hint = 'Whoever runs the server starts it so that anybody may make chains: atedb --no-auth solo'
      const why = `${auth} would say who may make a chain, and there are no accounts yet.`
      throw new AteError('NOT_AUTHORIZED', `This server makes no chains: ${why} ${hint}`, { hint })
    }
  }
}

/** A name has one spelling, with or without / at its ends. BAD_ARGUMENT for one that is none. */
function canonical(chain: string): string {
  return parseChainUrl('ws://server/service', chain).chain
}
