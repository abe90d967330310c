/** What the groups of a commit say: how much they are, which bodies they hold, which they drop, what they put. */
import { byteLength, concatBytes } from '../bytes/concat.js'
import { decodeDrop } from '../log/index.js'
import { type AppendedBatch, GROUP_CONTENT, GROUP_DROP, GROUP_RECORDS, type NumberRange } from '../log/types.js'
import { readChanges } from './change-stream.js'
import type { Compactor } from './compaction/compactor.js'
import type { CommitReceipt, CommitRequest } from './committer.js'

export function requestBytes(request: CommitRequest): number {
  return request.groups.reduce((sum, group) => sum + byteLength(group.parts), 0)
}

export function bodyPlaces(batch: AppendedBatch): CommitReceipt['places'] {
  return batch.groups
    .filter((group) => group.kind === GROUP_CONTENT)
    .map(({ number, random, segment, position, storedBytes }) => ({
      body: number,
      random,
      segment,
      position,
      storedBytes,
    }))
}

export function droppedBy({ groups }: CommitRequest): NumberRange[] {
  return groups.filter(({ kind }) => kind === GROUP_DROP).flatMap(({ parts }) => decodeDrop(concatBytes(...parts)))
}

/** A compaction must know of every reference that is made while it runs. */
export function noteRecords({ groups }: CommitRequest, compactor: Pick<Compactor, 'note' | 'giveUp'>): void {
  const sink = {
    put: (kind: number, high: number, low: number, value: Uint8Array) => compactor.note({ kind, high, low, value }),
    delete: () => undefined,
    deleteRange: () => undefined,
  }
  try {
    for (const { kind, parts } of groups) if (kind === GROUP_RECORDS) readChanges(concatBytes(...parts), sink)
  } catch (error) {
    compactor.giveUp(error)
  }
}

/** Takes the first ones away, as many as have so many bytes together: at least one. */
export function takeFirst<T extends { readonly bytes: number }>(waiting: T[], mostBytes: number): T[] {
  let bytes = 0
  let count = 0
  for (const one of waiting) {
    bytes += one.bytes
    if (count > 0 && bytes > mostBytes) break
    count++
  }
  return waiting.splice(0, count)
}
