/**
 * Space is taken before data is accepted. As much as wanted where there is plenty, ever less on a disk that is nearly
 * full, and never less than what is needed.
 */
import { AteError, errorCode } from '../error.js'
import { SPARE_NAME } from './format/segment-name.js'
import type { LogStorage, SegmentFile } from './storage.js'

/** Below this there is no point in reserving: the metadata of the file system itself needs more. */
const LEAST_STEP_BYTES = 1024 * 1024
/** Enough for the records of some 40,000 deletions; more would be missed on a small disk. */
const SPARE_BYTES = 4 * 1024 * 1024

/** Reserves `file` to `from` plus at most `wanted` and at least `needed` bytes; returns the reserved length. NO_SPACE. */
export async function reserveMost(file: SegmentFile, from: number, wanted: number, needed: number): Promise<number> {
  for (let extra = Math.max(wanted, needed); ; extra = Math.max(Math.floor(extra / 2), needed)) {
    try {
      await file.reserve(from + extra)
      return from + extra
    } catch (error) {
      if (errorCode(error) !== 'NO_SPACE' || extra === needed) throw error
    }
  }
}

/** A file of reserved space, given up so that what frees space (deletions) can still be committed on a full disk. */
export class SpareSpace {
  readonly #storage: LogStorage
  #bytes = 0

  constructor(storage: LogStorage) {
    this.#storage = storage
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Makes the spare file if there is none; quietly does without on a full disk. */
  async ensure(): Promise<void> {
    if (this.#bytes > 0) return
    await this.#storage.remove(SPARE_NAME)
    const file = await this.#storage.openSegment(SPARE_NAME, 'create')
    try {
      this.#bytes = await reserveMost(file, 0, SPARE_BYTES, LEAST_STEP_BYTES)
    } catch (error) {
      await this.#storage.remove(SPARE_NAME)
      if (errorCode(error) !== 'NO_SPACE') throw error
    } finally {
      await file.close()
    }
  }

  async release(): Promise<void> {
    this.#bytes = 0
    await this.#storage.remove(SPARE_NAME)
  }
}

/** `length` rounded up to a whole step. */
export function inSteps(length: number): number {
  return Math.ceil(length / LEAST_STEP_BYTES) * LEAST_STEP_BYTES
}

export function noSpace(cause: unknown): AteError {
  return new AteError('NO_SPACE', 'The disk of the log is full.', { hint: 'Free space on it, or delete files.', cause })
}
