/** Lets changes in: not while batches from elsewhere are taken in, when there is room, and when it is this machine's turn. */
import type { RecordView } from '../../../engine/chain/record-view.js'
import type { Clock } from '../clock.js'
import { readOnlyError, type Commits } from './commits.js'

export interface AdmissionParts {
  view: RecordView
  clock: Clock
  commits: Commits
  /** Settled when nothing is taken in; undefined when nothing is. */
  receiving: () => Promise<void> | undefined
  readOnly: boolean
}

export class Admission {
  readonly #parts: AdmissionParts

  constructor(parts: AdmissionParts) {
    this.#parts = parts
  }

  /** Nothing can be changed any more. */
  get isOver(): boolean {
    return this.#parts.readOnly || this.#parts.commits.hasFailed
  }

  /** Before every change. A promise: try again after it. `essential` changes free space and may use the reserve for it. */
  admit(bytes: number, essential: boolean): Promise<void> | undefined {
    if (this.isOver) throw readOnlyError()
    const { view, clock, commits, receiving } = this.#parts
    clock.tick()
    return receiving() ?? commits.waitForRoom() ?? view.reserve(bytes + commits.dirtyBytes, essential)
  }

  /** As `admit`, for who can wait. Rejects when it cannot be. */
  async admitted(bytes: number): Promise<void> {
    for (let wait = this.admit(bytes, true); wait !== undefined; wait = this.admit(bytes, true)) await wait
  }
}
