/** Opening the copy of a chain that a server keeps: what the library and mounts have in common. */
import { lockChain } from '../adapters/node/chain-lock.js'
import { cutBackDirectory } from '../adapters/node/cut-back.js'
import type { ImportPlaces } from '../adapters/node/import-range.js'
import type { SetAsideCopy } from '../adapters/node/set-aside-place.js'
import { prepareReplica, type PrepareReplicaOptions } from '../adapters/node/prepare-replica.js'
import { Diverged } from '../client/index.js'
import { type BatchSource, type LogEnd, TailReader } from '../engine/log/index.js'

/** A server that does not answer for so long is away. */
export const SERVER_TIMEOUT_MS = 10_000
/** Each time others may have gone on anew. */
const CUTS = 3

/** What was committed here without the server, while others went on, is cut off, and the copy opened again. */
export async function cuttingBack<T>(
  open: () => Promise<T>,
  cutBack: (sequence: number) => Promise<unknown>,
): Promise<T> {
  for (let cuts = 0; ; cuts++) {
    try {
      return await open()
    } catch (error) {
      if (!(error instanceof Diverged) || cuts === CUTS) throw error
      await cutBack(error.sequence)
    }
  }
}

/** Nobody else makes the same copy meanwhile. Without a directory it is in memory, and nobody could. */
export async function prepareCopy(
  directory: string | undefined,
  options: Omit<PrepareReplicaOptions, 'timeoutMs'>,
): Promise<void> {
  const lock = directory === undefined ? undefined : lockChain(directory, { readOnly: false })
  try {
    await prepareReplica({ ...options, timeoutMs: SERVER_TIMEOUT_MS })
    lock?.finish()
  } finally {
    lock?.release()
  }
}

export interface CutCopy extends ImportPlaces {
  readonly url: string
  readonly open: () => Promise<{ readonly source: BatchSource; close(): Promise<void> }>
  readonly onNotice: ((message: string) => void) | undefined
  /** The copy as it was is kept, for who brings both together. */
  readonly keepsBefore?: boolean
}

/** Sets aside what lies behind `sequence`, in a file; and the copy as it was, where that is kept. */
export async function cutCopyBack(
  { url, open, onNotice, keepsBefore = false, ...places }: CutCopy,
  sequence: number,
): Promise<SetAsideCopy | undefined> {
  const copy = await open()
  const to = await endAt(copy.source, sequence).finally(() => copy.close())
  const { batches, setAside, before } = await cutBackDirectory(places, to, { keepsBefore })
  onNotice?.(
    `Others went on with ${url} first: ${batches} commits that were made here meanwhile are not part of it, and lie in ` +
      `${setAside ?? 'no file'}.`,
  )
  return before === undefined ? undefined : { path: before, first: sequence + 1, last: sequence + batches }
}

async function endAt(source: BatchSource, sequence: number): Promise<LogEnd> {
  const reader = new TailReader(source)
  try {
    for await (const { digest } of reader.read(sequence, sequence)) return { sequence, digest }
    return { sequence: 0, digest: new Uint8Array(32) }
  } finally {
    await reader.close()
  }
}
