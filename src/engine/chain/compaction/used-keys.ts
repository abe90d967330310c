/**
 * Records that only those need which name them: access keys. One that nobody names is dead for good, as a body is: names are copied, or are
 * of the newest key of a rule, which the rule names.
 */
import type { RecordKey } from '../../index/record-key.js'

export class UsedKeys {
  readonly #named = new Map<number, Set<number>>()
  readonly #lying = new Map<number, Map<number, { kind: number; bytes: number }>>()

  needs(high: number, low: number): void {
    const lows = this.#named.get(high)
    if (lows === undefined) this.#named.set(high, new Set([low]))
    else lows.add(low)
  }

  /** It is there, and takes so much. */
  lies({ kind, high, low }: RecordKey, bytes: number): void {
    const lows = this.#lying.get(high)
    if (lows === undefined) this.#lying.set(high, new Map([[low, { kind, bytes }]]))
    else lows.set(low, { kind, bytes })
  }

  isUnused({ high, low }: Pick<RecordKey, 'high' | 'low'>): boolean {
    return this.#lying.get(high)?.has(low) === true && this.#named.get(high)?.has(low) !== true
  }

  *unused(): Generator<RecordKey & { readonly bytes: number }> {
    for (const [high, lows] of this.#lying)
      for (const [low, { kind, bytes }] of lows) if (this.isUnused({ high, low })) yield { kind, high, low, bytes }
  }
}
