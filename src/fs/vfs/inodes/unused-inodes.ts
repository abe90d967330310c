/** Inodes without a name go when nobody uses them any more, and when they may be changed. */
import type { Admission } from '../commits/admission.js'
import type { FileSystemState } from '../state.js'
import type { Ino } from '../types.js'

/** What the removal adds to the log. */
const REMOVAL_BYTES = 1024

export class UnusedInodes {
  readonly #state: FileSystemState
  readonly #admission: Admission
  readonly #onChange: () => void
  #isClosed = false

  constructor(state: FileSystemState, admission: Admission, onChange: () => void) {
    this.#state = state
    this.#admission = admission
    this.#onChange = onChange
  }

  /** All that were left when the last mount ended. */
  removeAll(): void {
    for (const ino of [...this.#state.inodes.orphans.keys()]) this.remove(ino)
  }

  remove(ino: Ino): void {
    const { inodes, references } = this.#state
    const orphan = inodes.orphans.get(ino)
    if (orphan === undefined || references.get(ino) > 0 || this.#isClosed || this.#admission.isOver) return
    const wait = this.#admission.admit(REMOVAL_BYTES, true)
    if (wait !== undefined) {
      // What cannot be removed now goes at the end, or with the next mount.
      wait.then(() => this.remove(ino)).catch(() => undefined)
      return
    }
    this.#state.destroy(orphan)
    this.#onChange()
  }

  /** Whoever used them is gone with the mount. */
  removeAllAtEnd(): void {
    for (const orphan of [...this.#state.inodes.orphans.values()]) this.#state.destroy(orphan)
  }

  /** Nothing is removed behind this but by `removeAllAtEnd`. */
  close(): void {
    this.#isClosed = true
  }
}
