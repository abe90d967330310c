/** The chain of the load, as a program opens it. */
import {
  AteConfig,
  AteSession,
  type Chain,
  ChainBuilder,
  dataType,
  plain,
  type WriteKey,
  writeKeyFromSeed,
} from 'atefs'
import type { PartOptions } from '../program.js'

export const Message = dataType('Message', plain<{ data: Uint8Array }>())

/** Of distributed trust: who may write. */
export function writeKeys({ trust }: PartOptions): WriteKey[] {
  return trust === 'distributed' ? [writeKeyFromSeed(new Uint8Array(64).fill(1))] : []
}

export async function openChain(options: PartOptions): Promise<{ chain: Chain; session: AteSession }> {
  const { address, serverKey, trust, directory } = options
  const keys = writeKeys(options)
  const config = AteConfig.default().with({
    passphrase: 'load',
    onNotice: (message) => void process.stderr.write(`${message}\n`),
    serverKey,
    // Who subscribes reads every message: they come with the batches.
    loadsContent: true,
    ...(trust === 'distributed' ? { trust, rootKeys: keys } : {}),
    ...(directory === undefined ? {} : { logPath: directory }),
  })
  const chain = await new ChainBuilder(config).open(`${address}/load`)
  return { chain, session: new AteSession({ writeKeys: keys }) }
}

/** Milliseconds, the same in all programs of this machine. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now()
}
