/**
 * When to commit without being asked: after 200 ms without changes, after 1 s at most, or at once when much is pending. Where
 * others wait to see what changes here, it is in the log ten times sooner, and durable as soon as elsewhere: the disk has no
 * more to do. Time is counted in ticks of one timer, so that a change costs a counter and no look at the clock.
 */
export interface Timer {
  /** Calls back once after `delayMs`. Only one call is outstanding. */
  start(delayMs: number, callback: () => void): void
  stop(): void
}

export class SystemTimer implements Timer {
  #handle: ReturnType<typeof setTimeout> | undefined

  start(delayMs: number, callback: () => void): void {
    this.stop()
    this.#handle = setTimeout(callback, delayMs)
  }

  stop(): void {
    if (this.#handle !== undefined) clearTimeout(this.#handle)
    this.#handle = undefined
  }
}

/** It goes into the log after so many ticks without changes, or with. */
interface Cadence {
  readonly tickMs: number
  readonly idleTicks: number
  readonly mostTicks: number
}

const ALONE: Cadence = { tickMs: 100, idleTicks: 2, mostTicks: 10 }
/** Where others wait to see what changes here: they do within 100 ms, which leaves some for the way there. */
export const SHARED: Cadence = { tickMs: 10, idleTicks: 1, mostTicks: 6 }
/** 200 ms without changes: shorter splits an untar into many commits, longer delays what follows a pause. */
const DURABLE_IDLE_MS = 200
/** What a power cut may take from a program that never syncs. */
const DURABLE_MS = 1000
/** Bytes pending: one frame that the disk takes in a few dozen milliseconds. */
export const COMMIT_BYTES = 8 * 1024 * 1024
/** Changes pending: bounds the lists that a commit works through in one turn of the event loop. */
const COMMIT_CHANGES = 16_384

export class CommitScheduler {
  readonly #timer: Timer
  readonly #commit: (isDurable: boolean) => void
  readonly #cadence: Cadence
  #isTicking = false
  #isDurabilityOwed = false
  #isClosed = false
  #changes = 0
  #changesAtTick = 0
  /** Since the last commit, and since the last that was durable. */
  #ticks = 0
  #ticksUnsafe = 0
  #idleTicks = 0

  /** `commit` need not be durable when it is asked for because much is pending: the timer's next one is. */
  constructor(timer: Timer, commit: (isDurable: boolean) => void, cadence = ALONE) {
    this.#cadence = cadence
    this.#timer = timer
    this.#commit = commit
  }

  /** Something changed and `pendingBytes` wait for a commit. */
  changed(pendingBytes: number): void {
    this.#changes++
    if (pendingBytes >= COMMIT_BYTES || this.#changes >= COMMIT_CHANGES) this.#commit(false)
    else if (!this.#isTicking) this.#startTicking()
  }

  /** Everything that was pending is in a commit now. */
  committed(isDurable: boolean): void {
    this.#changes = 0
    this.#changesAtTick = 0
    this.#ticks = 0
    this.#idleTicks = 0
    this.#isDurabilityOwed = !isDurable
    // The bound on what is not durable goes on through commits that are not.
    if (isDurable) this.#ticksUnsafe = 0
    else if (!this.#isTicking) this.#startTicking()
  }

  close(): void {
    this.#isClosed = true
    this.#isTicking = false
    this.#timer.stop()
  }

  #startTicking(): void {
    if (this.#isClosed) return
    this.#isTicking = true
    this.#timer.start(this.#cadence.tickMs, () => this.#tick())
  }

  #tick(): void {
    this.#isTicking = false
    if (this.#changes === 0 && !this.#isDurabilityOwed) return
    this.#ticks++
    this.#ticksUnsafe++
    this.#idleTicks = this.#changes === this.#changesAtTick ? this.#idleTicks + 1 : 0
    this.#changesAtTick = this.#changes
    const { tickMs, idleTicks, mostTicks } = this.#cadence
    if (this.#idleTicks * tickMs >= DURABLE_IDLE_MS || this.#ticksUnsafe * tickMs >= DURABLE_MS) this.#commit(true)
    else if (this.#changes > 0 && (this.#idleTicks >= idleTicks || this.#ticks >= mostTicks)) this.#commit(false)
    else this.#startTicking()
  }
}
