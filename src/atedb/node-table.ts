/** The servers that share the chains: as a file lists them, or as the name in the URL leads to them. */
import { readFileSync } from 'node:fs'
import { fileError } from '../adapters/node/file-error.js'
import { findServers } from '../adapters/node/dns/find-servers.js'
import { ownNode, parseNodesList, type Node, type NodeTable } from './nodes.js'
import type { ServerSettings } from './settings.js'

/** BAD_FORMAT for the file, BAD_ARGUMENT when nothing says which of them this one is; as `findServers` for a name. */
export async function nodeTable(settings: Pick<ServerSettings, 'url' | 'nodes'>): Promise<NodeTable> {
  const nodes = await nodesOf(settings)
  return { nodes, own: ownNode(nodes, settings.nodes.id, settings.url.port) }
}

/** Of a name: in the order of their addresses, as text, so that each server numbers them alike. */
async function nodesOf({
  url,
  nodes: { list, dnsServer, dnsSec },
}: Pick<ServerSettings, 'url' | 'nodes'>): Promise<readonly Node[]> {
  if (list === undefined) {
    const servers = await findServers(url, { dnsServer, dnsSec })
    return servers.map(({ host, port }) => ({ host, port })).sort((a, b) => (a.host < b.host ? -1 : 1))
  }
  try {
    return parseNodesList(readFileSync(list, 'utf8'), url.port)
  } catch (error) {
    throw fileError('read', list, error)
  }
}
