/** What was set aside and is not merged yet: copies of the chain as they were. */
import { copyOf } from '../../engine/bytes/copy.js'
import { rmSync } from 'node:fs'
import { hostname } from 'node:os'
import type { ChainHandle } from '../../adapters/node/chain-handle.js'
import { copyUpTo } from '../../adapters/node/cut-back.js'
import type { ImportPlaces } from '../../adapters/node/import-range.js'
import { type SetAsideCopy, setAsideCopies } from '../../adapters/node/set-aside-place.js'
import { type ReceivedChange, receivedChanges } from '../../engine/chain/received-changes.js'
import { AteError } from '../../engine/error.js'
import { readBatches } from '../../engine/log/index.js'
import { conflictLabel } from '../vfs/merge/conflict-name.js'
import type { Records } from '../vfs/merge/records.js'
import { RevertedRecords } from '../vfs/merge/reverted-records.js'
import type { Tail } from '../vfs/merge/tail.js'

export interface TailPlaces extends ImportPlaces {
  /** Opens a copy of the chain that lies there, only to read it. */
  readonly openAt: (directory: string) => Promise<ChainHandle>
  readonly onNotice: (message: string) => void
  /** A copy in which content may be missing. */
  readonly onOpened?: ((copy: ChainHandle) => void) | undefined
}

export interface SetAsideTail {
  readonly tail: Tail
  /** Lets go of it. `isMerged`: it is needed no more. */
  close(options: { isMerged: boolean }): Promise<void>
}

/** In their order. `replica` is the copy as it is now. What cannot be read is told, and stays. */
export async function setAsideTails(places: TailPlaces, replica: ChainHandle): Promise<SetAsideTail[]> {
  const tails: SetAsideTail[] = []
  for (const copy of setAsideCopies(places.directory)) {
    const { path } = copy
    try {
      const tail = await openTail(places, copy, replica)
      if (tail === undefined) rmSync(path, { recursive: true, force: true })
      else tails.push(tail)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      places.onNotice(`What was set aside in ${path} cannot be merged: ${why}`)
    }
  }
  return tails
}

async function openTail(
  places: TailPlaces,
  { path, first, last }: SetAsideCopy,
  replica: ChainHandle,
): Promise<SetAsideTail | undefined> {
  const mine = await places.openAt(path)
  const open: { close(): Promise<void> }[] = [mine]
  const staged = `${path}.base`
  const close = async ({ isMerged }: { isMerged: boolean }): Promise<void> => {
    for (const chain of open.splice(0)) await chain.close()
    rmSync(staged, { recursive: true, force: true })
    if (isMerged) rmSync(path, { recursive: true, force: true })
  }
  try {
    if (mine.status().headSequence !== last) {
      await close({ isMerged: true })
      return undefined
    }
    places.onOpened?.(mine)
    const { changes, ...end } = await readTail(mine, first, last)
    const isAtBase = replica.status().headSequence === first - 1
    let base: Records
    if (isAtBase) base = new RevertedRecords(mine.view, changes, replica.view)
    else {
      const from = { ...places, directory: path }
      await copyUpTo(from, mine.source, staged, { sequence: first - 1, digest: end.before })
      const before = await places.openAt(staged)
      open.push(before)
      places.onOpened?.(before)
      base = before.view
    }
    const label = conflictLabel(hostname(), end.timeMs)
    return { tail: { mine: mine.view, base, changes, digest: end.digest, label }, close }
  } catch (error) {
    await close({ isMerged: false })
    throw error
  }
}

interface ReadTail {
  changes: ReceivedChange[]
  /** Of the batch before it, and of its last one. */
  before: Uint8Array
  digest: Uint8Array
  timeMs: number
}

async function readTail({ source }: ChainHandle, first: number, last: number): Promise<ReadTail> {
  const changes: ReceivedChange[] = []
  let before: Uint8Array | undefined
  let end: Pick<ReadTail, 'digest' | 'timeMs'> | undefined
  for await (const { records, digest, head } of readBatches(source, first, last)) {
    changes.push(...receivedChanges(records))
    before ??= copyOf(head.link.previous)
    end = { digest: copyOf(digest), timeMs: head.link.timeMs }
  }
  if (before === undefined || end === undefined) throw new AteError('CHAIN_DAMAGED', 'The log has no such batches.')
  return { changes, before, ...end }
}
