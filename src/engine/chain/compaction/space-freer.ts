/**
 * Gives back the space of groups whose bytes nobody needs any more. Neighbours go together, so that the blocks they share
 * go too; whole segments are the storage's business, and what it cannot do is only said.
 */
import { segmentName } from '../../log/format/segment-name.js'
import type { LogStorage, SegmentFile } from '../../log/storage.js'

/** Where bytes lie that may go. */
export interface FreePlace {
  segment: number
  position: number
  storedBytes: number
}

export class SpaceFreer {
  readonly #storage: Pick<LogStorage, 'openSegment'>
  readonly #canFree = new Map<number, boolean>()

  constructor(storage: Pick<LogStorage, 'openSegment'>) {
    this.#storage = storage
  }

  /** Some file systems have no holes, and a file that is part of a copy must stay as it is. */
  async canFree(segment: number): Promise<boolean> {
    let can = this.#canFree.get(segment)
    if (can === undefined) {
      can = await this.#open(segment, async (file) => {
        const end = await file.size()
        return await file.punch(end, end + 1024 * 1024)
      })
      this.#canFree.set(segment, can)
    }
    return can
  }

  /** Durable when it resolves. Returns how much was given back, as far as the storage could. INPUT_OUTPUT. */
  async free(places: readonly FreePlace[]): Promise<number> {
    let bytes = 0
    for (const [segment, own] of bySegment(places)) {
      bytes += await this.#open(segment, async (file) => {
        let punched = 0
        for (const { from, to } of joined(own)) if (await file.punch(from, to)) punched += to - from
        if (punched > 0) await file.sync()
        return punched
      })
    }
    return bytes
  }

  async #open<T>(segment: number, use: (file: SegmentFile) => Promise<T>): Promise<T> {
    const file = await this.#storage.openSegment(segmentName(segment), 'append')
    try {
      return await use(file)
    } finally {
      await file.close()
    }
  }
}

function bySegment(places: readonly FreePlace[]): Map<number, FreePlace[]> {
  const segments = new Map<number, FreePlace[]>()
  for (const place of places) {
    const own = segments.get(place.segment)
    if (own === undefined) segments.set(place.segment, [place])
    else own.push(place)
  }
  return segments
}

function joined(places: readonly FreePlace[]): { from: number; to: number }[] {
  const runs: { from: number; to: number }[] = []
  for (const { position, storedBytes } of [...places].sort((a, b) => a.position - b.position)) {
    const last = runs.at(-1)
    if (last?.to === position) last.to += storedBytes
    else runs.push({ from: position, to: position + storedBytes })
  }
  return runs
}
