/** Feeds a decoder bytes it does not expect: noise, and good records with a few bytes changed, dropped or added. */
import * as fc from 'fast-check'
import { type Test } from 'tap'
import { errorCode } from '../../src/engine/error.js'

/**
 * The decoder either takes the bytes or fails with BAD_FORMAT, nothing else. What it takes, `encode` gives back the same:
 * there is one spelling of everything.
 */
export function fuzzDecoder<T>(
  t: Test,
  samples: readonly Uint8Array[],
  decode: (bytes: Uint8Array) => T,
  encode: (value: T) => Uint8Array,
): void {
  const mutation = fc.record({
    sample: fc.constantFrom(...samples),
    changes: fc.array(fc.tuple(fc.nat(300), fc.nat(255)), { maxLength: 4 }),
    cut: fc.nat(20),
    added: fc.uint8Array({ maxLength: 8 }),
  })
  const mutated = mutation.map(({ sample, changes, cut, added }) => {
    const bytes = [...sample.subarray(0, Math.max(0, sample.length - cut)), ...added]
    for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value
    return Uint8Array.from(bytes)
  })
  let taken = 0
  fc.assert(
    fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 80 })), (bytes) => {
      let value: T
      try {
        value = decode(bytes)
      } catch (error) {
        return errorCode(error) === 'BAD_FORMAT'
      }
      taken++
      return Buffer.compare(encode(value), bytes) === 0
    }),
    { seed: 3, numRuns: 3000 },
  )
  t.ok(taken > 0, `${taken} of 3,000 inputs were taken`)
}
