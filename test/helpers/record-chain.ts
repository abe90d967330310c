/** A chain of plain records, opened without the file system, for tests of what lies below it. */
import { join } from 'node:path'
import type { ChainHandle, OpenChainOptions } from '../../src/adapters/node/chain-handle.js'

export const KIND = 7

export function optionsIn(base: string, notices: string[]): OpenChainOptions {
  return {
    directory: join(base, 'chain'),
    secret: { kind: 'key-file' },
    anchorDirectory: join(base, 'anchors'),
    readOnly: false,
    allowDamage: false,
    acceptRollback: false,
    onProgress: () => undefined,
    onNotice: (message) => notices.push(message),
  }
}

/** Records `from` to `to` of (KIND, 1), each of 100 bytes that say its number, as one commit. */
export async function put(chain: ChainHandle, from: number, to: number): Promise<void> {
  for (let low = from; low < to; low++) chain.view.put(KIND, 1, low, new Uint8Array(100).fill(low))
  await chain.view.commit()
}
