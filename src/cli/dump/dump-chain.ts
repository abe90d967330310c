/** What `atefs dump` tells of an open chain, line by line to people or as one JSON document. */
import type { ChainHandle } from '../../adapters/node/chain-handle.js'
import { FileStorage } from '../../adapters/node/file-storage.js'
import { nativeCrypto } from '../../adapters/node/native-crypto.js'
import { TrustState } from '../../engine/dio/trust-state.js'
import type { KeyId } from '../../engine/trust/keys.js'
import { holdsFileSystem } from '../../fs/vfs/check/check.js'
import type { ChainLocation } from '../chain-argument.js'
import { type DumpedKey, dumpBatches } from './batches.js'
import { fileTree } from './file-tree.js'
import { objectTree } from './object-tree.js'
import { batchText, fileText, objectText } from './text.js'

export interface DumpOutput {
  field(name: string, value: object | string | number, text?: string): void
  /** Each item as it is, and as a line. */
  list<T>(name: string, items: AsyncIterable<T> | Iterable<T>, textOf: (item: T) => string): Promise<void>
}

/** CHAIN_DAMAGED, BAD_FORMAT, ... for what cannot be told. */
export async function dumpChain(
  handle: ChainHandle,
  { name, directory }: ChainLocation,
  withBatches: boolean,
  output: DumpOutput,
): Promise<void> {
  const { view, trust, keys } = handle
  const { chainId, suite, headSequence, logBytes } = handle.status()
  const isFiles = holdsFileSystem(view)
  const holds = isFiles ? 'files' : 'objects'
  output.field('chain', name, `${name}: a chain of ${holds}, ${suite}, trust ${trust}`)
  output.field('chainId', chainId, `id ${chainId}`)
  output.field('suite', suite)
  output.field('trust', trust)
  output.field('holds', holds)
  output.field('headSequence', headSequence, `${headSequence} batches in ${logBytes} bytes of log`)
  output.field('logBytes', logBytes)
  if (isFiles) await output.list('files', fileTree(view), fileText)
  else {
    const { rootKeys } = new TrustState(view)
    const who = rootKeys.length === 0 ? 'everybody' : rootKeys.join(', ')
    output.field('rootKeys', rootKeys, `what has no rule is written by ${who}`)
    await output.list('objects', objectTree(view), objectText)
  }
  if (!withBatches) return
  const signedBy = new Map<KeyId, number>()
  const source = { storage: new FileStorage(directory), crypto: nativeCrypto, keys, head: headSequence }
  await output.list('batches', dumpBatches(source, signedBy), batchText)
  const found: DumpedKey[] = Array.from(signedBy, ([id, batches]) => ({ id, batches }))
  await output.list('publicKeys', found, ({ id, batches }) => `public key ${id}  signed ${batches} batches`)
}
