/** The servers that share the chains of one name, and which of them this one is. */
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { AteError } from '../engine/error.js'
import { parseServerUrl, serverName, type ServerAddress } from '../wire/index.js'

export type Node = Pick<ServerAddress, 'host' | 'port'>

export interface NodeTable {
  /** In the order of their numbers. One: every chain is here. */
  readonly nodes: readonly Node[]
  readonly own: Node
}

const MAX_NODES = 1024

/** One `address[:port]` in a line, IPv6 in brackets where a port follows; `#` begins a comment. BAD_FORMAT. */
export function parseNodesList(text: string, defaultPort: number): Node[] {
  const nodes = text.split('\n').flatMap((line, at): Node[] => {
    const word = line.replace(/#.*/, '').trim()
    return word === '' ? [] : [parseNode(word, defaultPort, at + 1)]
  })
  const names = nodes.map(serverName)
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) throw new AteError('BAD_FORMAT', `The list of nodes names ${twice} twice.`)
  if (nodes.length === 0 || nodes.length > MAX_NODES)
    throw new AteError('BAD_FORMAT', `The list of nodes has ${nodes.length} addresses; 1 to ${MAX_NODES} can be.`)
  return nodes
}

function parseNode(word: string, defaultPort: number, line: number): Node {
  const bare = isIP(word) === 6 ? `[${word}]` : word
  const hasPort = /:\d+$/.test(bare) && !bare.endsWith(']')
  try {
    const { host, port, path } = parseServerUrl(`ws://${hasPort ? bare : `${bare}:${defaultPort}`}`)
    if (path === '/' && !/[/\s]/.test(word)) return { host, port }
  } catch (cause) {
    throw new AteError('BAD_FORMAT', `Line ${line} of the list of nodes is no address.`, { cause })
  }
  throw new AteError('BAD_FORMAT', `Line ${line} of the list of nodes is no address.`)
}

/** Which one this is: the number that was given, or the only one with an address of this machine and our port. BAD_ARGUMENT. */
export function ownNode(nodes: readonly Node[], id: number | undefined, port: number, ours = ownAddresses()): Node {
  const [only, ...others] = nodes
  if (only === undefined) throw new AteError('BAD_ARGUMENT', 'There are no nodes.')
  if (id !== undefined) {
    const node = nodes[id]
    if (node !== undefined) return node
    throw new AteError('BAD_ARGUMENT', `There is no node ${id}: there are ${nodes.length}, counted from 0.`)
  }
  if (others.length === 0) return only
  const here = nodes.filter((node) => node.port === port && ours.has(node.host))
  const [own] = here
  if (own !== undefined && here.length === 1) return own
  const hint = `Say it with --node-id: ${nodes.map((node, at) => `${at} is ${serverName(node)}`).join(', ')}.`
  const why = own === undefined ? 'None' : 'More than one'
  throw new AteError('BAD_ARGUMENT', `${why} of the nodes has an address of this machine and port ${port}.`, { hint })
}

/** As URLs spell them. */
function ownAddresses(): ReadonlySet<string> {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
  return new Set(all.map(({ address }) => address.toLowerCase()))
}
