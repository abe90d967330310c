/** An index store that remembers all its changes, so that it can be had as it was after any of them. */
import { MemoryStore } from '../../../src/engine/index/memory-store.js'
import type { StoreChange } from '../../../src/engine/index/ordered-store.js'

type Step = readonly StoreChange[] | 'clear'

export class HistoryStore extends MemoryStore {
  readonly steps: Step[] = []
  onStep: () => void = () => {}

  /** A store to which `steps` were done. */
  static after(steps: readonly Step[]): HistoryStore {
    const store = new HistoryStore()
    for (const step of steps) {
      if (step === 'clear') store.clear()
      else store.write(step)
    }
    return store
  }

  override write(changes: readonly StoreChange[]): void {
    super.write(changes)
    this.steps.push(changes.map(({ key, value }) => ({ key: key.slice(), value: value?.slice() ?? null })))
    this.onStep()
  }

  override clear(): void {
    super.clear()
    this.steps.push('clear')
    this.onStep()
  }
}
