/** Any prefix of a log opens: what is cut off is a torn end or named as damage, and what opens is a prefix of the commits. */
import fc from 'fast-check'
import t from 'tap'
import { errorCode } from '../../../src/engine/error.js'
import { FaultStorage } from '../../helpers/fault-storage.js'
import { crypto, draft, filled, keys, numbersOf, open } from '../../helpers/log-workbench.js'
import { exportRange, ExportReader, createLog } from '../../../src/engine/log/index.js'

const SEGMENT = '0000000001.seg'

/** A log that was not closed, cut to `length` bytes. */
async function cut(storage: FaultStorage, length: number): Promise<FaultStorage> {
  const files = storage.snapshot()
  const file = files.get(SEGMENT)
  if (file === undefined) throw new Error('no segment')
  file.setLength(Math.min(length, file.length))
  file.bytes = file.bytes.slice(0, length)
  return FaultStorage.holding(files)
}

await t.test('a log that is cut at any byte opens to a prefix of its commits', async (t) => {
  const storage = new FaultStorage()
  const log = await filled(storage, 8, 1500)
  const end = log.head?.position ?? 0
  const ends: number[] = []
  {
    const { batches } = await open({ storage: await cut(storage, end) })
    for (const { endPosition } of batches) ends.push(endPosition)
  }
  t.equal(ends.length, 8)
  const check = async (length: number): Promise<void> => {
    const whole = ends.filter((position) => position <= length).length
    const opened = await open({ storage: await cut(storage, length) }).catch((error: unknown) => errorCode(error))
    if (typeof opened === 'string') {
      if (length >= 152) t.fail(`${length}: ${opened}`)
      return
    }
    const numbers = numbersOf(opened?.batches ?? [])
    if (numbers.length !== whole || !numbers.every((number, at) => number === at + 1))
      t.fail(`${length}: ${numbers.join()} where ${whole} belong`)
    await opened?.log.append([draft(whole + 1)])
    await opened?.log.close()
  }
  for (const at of ends) for (const length of [at - 1, at, at + 1]) await check(length)
  await fc.assert(
    fc.asyncProperty(fc.nat(end), (length) => check(length)),
    { seed: 7, numRuns: 150 },
  )
})

await t.test('two identical commits are two commits', async (t) => {
  const storage = new FaultStorage()
  const log = await filled(storage, 1)
  const [a, b] = await log.append([draft(2, 100), draft(2, 100)])
  t.not(a?.sequence, b?.sequence)
  t.notSame(a?.digest, b?.digest)
  t.notSame(
    a?.groups.map(({ digest }) => digest),
    b?.groups.map(({ digest }) => digest),
  )
  await log.close()
  const { batches } = await open({ storage })
  t.strictSame(numbersOf(batches), [1, 2, 2])
})

await t.test(
  'exported and taken in is the same log: same batches, same contents, same digest at the end',
  async (t) => {
    const sizes = fc.array(fc.record({ bytes: fc.nat(6000), rotates: fc.boolean() }), { minLength: 1, maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(12), async (commits, first) => {
        const storage = new FaultStorage()
        await createLog({ storage, crypto, keys, clock: () => 0 })
        const { log } = await open({ storage, segmentBytes: 9000 })
        for (const [i, { bytes, rotates }] of commits.entries()) {
          await log.append([draft(i + 1, bytes)])
          if (rotates) await log.rotate()
        }
        const { head } = log
        if (head === undefined) return false
        const copy = new FaultStorage()
        await createLog({ storage: copy, crypto, keys, clock: () => 0 })
        const { log: taking } = await open({ storage: copy, segmentBytes: 9000 })
        const split = Math.min(first, commits.length)
        const source = { storage, crypto, keys }
        const end = (): Promise<typeof head> => Promise.resolve(head)
        const ranges = [
          { from: 1, to: split },
          { from: split + 1, to: undefined },
        ].filter(({ from, to }) => to === undefined || to >= from)
        for (const range of ranges) {
          const reader = new ExportReader(crypto, exportRange(source, { ...range, key: undefined, end }))
          await reader.header()
          for await (const bytes of reader.batches())
            await taking.receive([bytes], { isDurable: false, mayMiss: false, accept: () => undefined })
          reader.verifiedEnd(keys)
        }
        const isSame = Buffer.compare(taking.head?.digest ?? new Uint8Array(0), head.digest) === 0
        await Promise.all([taking.close(), log.close()])
        const [a, b] = [await open({ storage }), await open({ storage: copy })]
        const said = ({ batches }: typeof a): unknown =>
          batches.map(({ sequence, digest, records, groups }) => [
            sequence,
            digest,
            records,
            groups.map((group) => [group.number, group.random, group.digest]),
          ])
        t.strictSame(said(b), said(a))
        return isSame
      }),
      { seed: 11, numRuns: 40 },
    )
  },
)
