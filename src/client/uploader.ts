/** Brings batches of the local log to the server, in order: those behind the last one sent, whenever there are more. */
import { errorCode, isAteError } from '../engine/error.js'
import { type BatchSource, type ItemPiece, TailReader } from '../engine/log/index.js'
import { MAX_PART_BYTES } from '../sync/index.js'
import type { Timers } from '../wire/index.js'
import { MOST_WORK_MS, UploadRests } from './upload-rests.js'

/** Where batches go: a connection, for as long as a turn is held on it. */
export interface UploadTarget {
  /** LAGGED when too much is unsent; then `ready`. */
  push(part: ItemPiece): void
  ready(): Promise<void>
}

export interface UploaderOptions {
  readonly source: BatchSource
  /** Where the log ends. */
  readonly head: { readonly sequence: number }
  readonly timers: Timers
  /** Milliseconds. */
  readonly now?: (() => number) | undefined
  /** The server may get what nobody waits for a moment later. */
  readonly mayTrail?: boolean | undefined
  /** The log cannot be read. That a connection ends is no failure of this. */
  readonly onFailure: (error: unknown) => void
}

export class Uploader {
  readonly #reader: TailReader
  readonly #onFailure: (error: unknown) => void
  readonly #now: () => number
  readonly #rests: UploadRests | undefined
  #target: UploadTarget | undefined
  #lastSent = 0
  #appended: number
  /** Since then there was always something to bring. */
  #behindSince: number | undefined
  /** Somebody waits for everything up to this. */
  #awaited = 0
  #pumping: Promise<void> | undefined
  #stopWaiting: () => void = () => undefined
  #waiting: { sequence: number; resolve: () => void }[] = []

  constructor({ source, head, timers, now, mayTrail = false, onFailure }: UploaderOptions) {
    this.#now = now ?? (() => performance.now())
    this.#reader = new TailReader(source)
    this.#onFailure = onFailure
    this.#appended = head.sequence
    this.#rests = mayTrail ? new UploadRests(timers, () => this.#pump()) : undefined
  }

  /** The log has batches up to this. */
  noteAppended(sequence: number): void {
    this.#appended = sequence
    this.#behindSince ??= this.#now()
    this.#pump()
  }

  /** From now on everything behind `last` goes there. */
  begin(target: UploadTarget, last: number): void {
    this.#target = target
    this.#lastSent = last
    this.hurry()
  }

  /** Nothing goes anywhere. Who waits for `sent` does so until it goes on. */
  pause(): void {
    this.#target = undefined
    this.#rests?.end()
    this.#stopWaiting()
  }

  /** Everything that the log has now goes as soon as it can. */
  hurry(): void {
    this.#awaited = this.#appended
    this.#rests?.end()
    this.#pump()
  }

  /** Resolves when everything up to `sequence` is sent. */
  sent(sequence: number): Promise<void> {
    this.hurry()
    if (this.#target !== undefined && this.#lastSent >= sequence) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push({ sequence, resolve }))
  }

  async close(): Promise<void> {
    this.pause()
    await this.#pumping
    await this.#reader.close()
  }

  #pump(): void {
    if (this.#target === undefined || this.#lastSent >= this.#appended || this.#rests?.isResting === true) return
    const began = this.#now()
    this.#pumping ??= this.#sendSome(began).then(
      () => this.#pumped(began),
      (error: unknown) => {
        this.#pumping = undefined
        this.#onFailure(error)
      },
    )
  }

  #pumped(began: number): void {
    this.#pumping = undefined
    const now = this.#now()
    if (this.#lastSent >= this.#appended) this.#behindSince = undefined
    if (this.#target !== undefined && this.#mayRest) this.#rests?.begin(now - began, now - (this.#behindSince ?? now))
    this.#pump()
  }

  /** All that there is, or as much as is to be brought before the next rest. */
  async #sendSome(began: number): Promise<void> {
    const target = this.#target
    if (target === undefined) return
    for await (const { sequence, pieces } of this.#reader.read(this.#lastSent + 1, this.#appended)) {
      for await (const part of pieces(MAX_PART_BYTES))
        if (this.#target !== target || !(await this.#send(target, part))) return
      this.#lastSent = sequence
      this.#tell()
      if (this.#mayRest && this.#now() - began > MOST_WORK_MS) return
    }
  }

  get #mayRest(): boolean {
    return this.#rests !== undefined && this.#lastSent >= this.#awaited
  }

  #tell(): void {
    const isSent = ({ sequence }: { sequence: number }): boolean => sequence <= this.#lastSent
    const told = this.#waiting.filter(isSent)
    this.#waiting = this.#waiting.filter((waiting) => !isSent(waiting))
    for (const { resolve } of told) resolve()
  }

  /** False when the connection is over. */
  async #send(target: UploadTarget, part: ItemPiece): Promise<boolean> {
    for (;;) {
      try {
        target.push(part)
        return true
      } catch (error) {
        if (!isAteError(error)) throw error
        const hasRoom = errorCode(error) === 'LAGGED' && (await this.#becomesReady(target))
        if (hasRoom) continue
        if (this.#target === target) this.pause()
        return false
      }
    }
  }

  /** False when it does not before the connection is over, or nothing is to go there any more. */
  #becomesReady(target: UploadTarget): Promise<boolean> {
    return new Promise((resolve) => {
      const stop = (): void => resolve(false)
      this.#stopWaiting = stop
      target.ready().then(() => resolve(true), stop)
    })
  }
}
