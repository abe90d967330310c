/** Locks on ranges are those of fcntl(2): checked byte by byte against a table of who has which. */
import * as fc from 'fast-check'
import t from 'tap'
import { RangeLocks } from '../../src/sync/range-locks.js'

const BYTES = 12
const END = Number.MAX_SAFE_INTEGER

interface Step {
  owner: string
  from: number
  length: number
  wanted: 'exclusive' | 'shared' | 'none'
}

const step: fc.Arbitrary<Step> = fc.record({
  owner: fc.constantFrom('a', 'b', 'c'),
  from: fc.nat(BYTES - 1),
  length: fc.nat(BYTES),
  wanted: fc.constantFrom('exclusive', 'shared', 'none'),
})

/** The end of what there is stands for the end of the file. */
const endOf = ({ from, length }: Step): number => (from + length >= BYTES - 1 ? END : from + length)

/** For each byte, what each owner has there. */
class Model {
  readonly bytes = Array.from({ length: BYTES }, () => new Map<string, boolean>())

  touched({ from, length }: Step): Map<string, boolean>[] {
    return this.bytes.slice(from, from + length + 1)
  }

  isFree(step: Step, isExclusive: boolean): boolean {
    return this.touched(step).every((held) =>
      [...held].every(([owner, isTheirs]) => owner === step.owner || !(isExclusive || isTheirs)),
    )
  }

  change(step: Step): void {
    for (const held of this.touched(step))
      if (step.wanted === 'none') held.delete(step.owner)
      else held.set(step.owner, step.wanted === 'exclusive')
  }

  /** The fewest ranges that say it. */
  get count(): number {
    let count = 0
    for (const owner of ['a', 'b', 'c'])
      this.bytes.forEach((held, i) => {
        const mine = held.get(owner)
        if (mine !== undefined && this.bytes[i - 1]?.get(owner) !== mine) count++
      })
    return count
  }
}

t.test('whatever is locked and unlocked, each byte has the locks that it should, in as few ranges as can be', (t) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const [locks, model] = [new RangeLocks(), new Model()]
      for (const each of steps) {
        const { owner, from, wanted } = each
        const range = { owner, from, to: endOf(each), isExclusive: wanted === 'exclusive' }
        const isFree = wanted === 'none' || locks.conflicts(range).length === 0
        if (isFree !== (wanted === 'none' || model.isFree(each, range.isExclusive))) return false
        if (!isFree) continue
        if (wanted === 'none') locks.clear(owner, range)
        else locks.set(range)
        model.change(each)
      }
      const isSame = model.bytes.every((held, byte) => {
        const there = locks.all.filter((lock) => lock.from <= byte && lock.to >= byte)
        return there.length === held.size && there.every((lock) => held.get(lock.owner) === lock.isExclusive)
      })
      return isSame && locks.all.length === model.count
    }),
    { numRuns: 500 },
  )
  t.end()
})
