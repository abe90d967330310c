/**
 * Writes frames to the log in order while the next ones are sealed: of two buffers one is filled and one is written. None
 * is begun before all before it are written, so that a crash leaves whole frames and one torn end; after a failure
 * nothing is written any more.
 */
import type { FramePiece } from './received-batch.js'
import type { SegmentAppender } from './segment-appender.js'

/** A larger buffer, made for a large batch, is not kept. */
const KEPT_BYTES = 16 * 1024 * 1024

export class FrameWriter {
  #filled = new Uint8Array(0)
  #idle = new Uint8Array(0)
  #written: Promise<void> = Promise.resolve()

  /** A buffer of at least `bytes`, whose first `used` bytes are as they were left since the last `begin`. */
  buffer(used: number, bytes: number): Uint8Array {
    if (bytes > this.#filled.length) {
      const grown = new Uint8Array(Math.max(bytes, Math.min(2 * this.#filled.length, KEPT_BYTES)))
      grown.set(this.#filled.subarray(0, used))
      this.#filled = grown
    }
    return this.#filled
  }

  /**
   * Begins to write the first `length` bytes of the buffer, in which the last frame begins at `lastAt`; resolves when the
   * next ones can be filled in. `onWritten` belongs to the write: who waits for that waits for it. Throws what an earlier
   * write threw.
   */
  async begin(segment: SegmentAppender, length: number, lastAt: number, onWritten: () => Promise<void>): Promise<void> {
    await this.#written
    const frames = this.#filled.subarray(0, length)
    this.#filled = this.#idle
    this.#idle = frames.buffer.byteLength > KEPT_BYTES ? new Uint8Array(0) : new Uint8Array(frames.buffer)
    this.#written = segment.write(frames, lastAt).then(onWritten)
    // It is kept for who comes next, and nobody may.
    this.#written.catch(() => undefined)
  }

  /** As `begin`, for a frame of `length` bytes of which only these pieces are there. */
  async beginSparse(
    segment: SegmentAppender,
    pieces: readonly FramePiece[],
    length: number,
    onWritten: () => Promise<void>,
  ): Promise<void> {
    await this.#written
    this.#written = segment.writeSparse(pieces, length).then(onWritten)
    this.#written.catch(() => undefined)
  }

  /** Everything begun is written when it resolves. Throws what the storage threw. */
  settled(): Promise<void> {
    return this.#written
  }
}
