/** Signs of life: one is sent when nothing else was, and a silent other side is given up. No timer is set anew for each frame. */
import { HEARTBEAT_MS, SILENCE_MS } from './limits.js'
import type { Timers } from './timers.js'

/** Looked at twice in the time within which something must be sent. */
const TICK_MS = HEARTBEAT_MS / 2
const SILENT_TICKS = SILENCE_MS / TICK_MS

export interface HeartbeatEvents {
  /** A sign of life is to be sent. */
  beat(): void
  /** Nothing has come for too long. */
  silent(): void
  /** True while nothing is read: then silence means nothing. */
  isDeaf(): boolean
}

export class Heartbeat {
  readonly #timers: Timers
  readonly #events: HeartbeatEvents
  #hasSent = false
  #silentTicks = 0
  #stop: () => void

  constructor(timers: Timers, events: HeartbeatEvents) {
    this.#timers = timers
    this.#events = events
    this.#stop = timers.after(TICK_MS, () => this.#tick())
  }

  sent(): void {
    this.#hasSent = true
  }

  received(): void {
    this.#silentTicks = 0
  }

  stop(): void {
    this.#stop()
  }

  #tick(): void {
    this.#stop = this.#timers.after(TICK_MS, () => this.#tick())
    if (this.#events.isDeaf()) this.#silentTicks = 0
    else if (++this.#silentTicks >= SILENT_TICKS) {
      this.#events.silent()
      return
    }
    if (!this.#hasSent) this.#events.beat()
    this.#hasSent = false
  }
}
