/** Copies of one chain in memory, each with a file system; what one has made is carried to the others by hand. */
import { nativeCrypto } from '../../src/adapters/node/native-crypto.js'
import { type MemoryChain, openMemoryChain } from '../../src/engine/chain/memory-chain.js'
import { readChanges } from '../../src/engine/chain/change-stream.js'
import { readBatches } from '../../src/engine/log/index.js'
import type { ChainFileSystem } from '../../src/fs/vfs/file-system.js'
import { openFileSystem } from '../../src/fs/vfs/open.js'
import type { FileSystemOptions } from '../../src/fs/vfs/options.js'
import type { ChangedElsewhere } from '../../src/fs/vfs/types.js'
import { keys } from './log-workbench.js'
import { ManualTimer, NAME_KEY } from './open-memory-fs.js'

export interface ChainCopy {
  chain: MemoryChain
  fs: ChainFileSystem
  /** What it was told of others' changes. */
  told: ChangedElsewhere[]
  warnings: string[]
}

/** The first copy makes the file system; another one takes it from `from`. */
export async function openCopy(
  writer: number,
  from?: ChainCopy,
  options: Partial<FileSystemOptions> = {},
): Promise<ChainCopy> {
  const chain = await openMemoryChain({ crypto: nativeCrypto, keys })
  if (from !== undefined) {
    await from.fs.flush()
    await from.fs.sync()
    await receiveRecords(chain, await batchesFor({ chain }, from))
  }
  return openOn(chain, writer, options)
}

export async function openOn(
  chain: MemoryChain,
  writer: number,
  options: Partial<FileSystemOptions> = {},
): Promise<ChainCopy> {
  const warnings: string[] = []
  const onWarning = (message: string): void => void warnings.push(message)
  const fs = await openFileSystem({
    view: chain.view,
    options: { nameKey: NAME_KEY, onWarning, writer, timer: new ManualTimer(), ...options },
  })
  const told: ChangedElsewhere[] = []
  fs.onChangedElsewhere = (changed) => void told.push(changed)
  return { chain, fs, told, warnings }
}

/** Gives the turn from one to the other: what the first has, the second gets. */
export async function carry(from: ChainCopy, to: ChainCopy, runLength = 1): Promise<void> {
  await from.fs.flush()
  await from.fs.sync()
  const batches = await batchesFor(to, from)
  for (let i = 0; i < batches.length; i += runLength)
    await to.fs.receive(batches.slice(i, i + runLength), { isDurable: false, mayMiss: false })
}

type Run = Parameters<ChainFileSystem['receive']>[0]

/** The batches of `from` that `to` lacks. They must be durable. */
export async function batchesFor({ chain }: Pick<ChainCopy, 'chain'>, from: ChainCopy): Promise<Run> {
  const { storage, view } = from.chain
  const { sequence } = await view.durableEnd()
  const next = chain.view.writerStatus.headSequence + 1
  const run: Run[number][] = []
  if (next > sequence) return run
  for await (const { bytes } of readBatches({ storage, crypto: nativeCrypto, keys }, next, sequence)) run.push(bytes)
  return run
}

async function receiveRecords({ view }: MemoryChain, run: Run): Promise<void> {
  const batches = await view.verifyRun(run, false)
  await view.receive(batches, {
    isDurable: false,
    mayMiss: false,
    apply: (sink) => {
      for (const { records } of batches) for (const stream of records) readChanges(stream, sink)
    },
  })
}
