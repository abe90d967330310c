/** What a reader does with groups of kinds that a later version may write. */
import t from 'tap'
import { macAuthor } from '../../../src/engine/log/batch-author.js'
import { NOTHING_SIGNED } from '../../../src/engine/log/proof-plan.js'
import { batchDigest } from '../../../src/engine/log/format/batch-header.js'
import { FRAME_HEADER_BYTES, HEAD_FIXED_BYTES } from '../../../src/engine/log/format/frame-head.js'
import { LINK_BYTES } from '../../../src/engine/log/format/link.js'
import { SEGMENT_HEADER_BYTES } from '../../../src/engine/log/format/segment-header.js'
import { verifyLog } from '../../../src/engine/log/index.js'
import type { Finding, GroupKind } from '../../../src/engine/log/types.js'
import { FaultStorage } from '../../helpers/fault-storage.js'
import { create, crypto, draft, keys, numbersOf, open } from '../../helpers/log-workbench.js'
import { repairFrameCrc } from '../../helpers/stored-log.js'

/** A log of one batch, not closed, with a second group of kind 9 whose flags are `flags`; authentic in all. */
async function withUnknownKind(flags: number): Promise<FaultStorage> {
  const storage = new FaultStorage()
  await create(storage)
  const { log } = await open({ storage })
  const { groups } = draft(1)
  await log.append([{ groups: [...groups, { kind: 10 as GroupKind, number: 2, parts: [Uint8Array.of(1)] }] }])
  const files = storage.snapshot()
  const file = files.get('0000000001.seg')
  if (file === undefined) throw new Error('no segment')
  const headAt = SEGMENT_HEADER_BYTES + FRAME_HEADER_BYTES
  const batchAt = headAt + LINK_BYTES
  const authAt = headAt + HEAD_FIXED_BYTES + 2 * 48
  file.bytes[authAt - 48 + 1] = flags
  file.bytes.set(
    macAuthor(crypto, keys.author).authenticate(file.bytes.subarray(batchAt, authAt), NOTHING_SIGNED),
    authAt,
  )
  file.bytes.set(batchDigest(crypto, file.bytes.subarray(batchAt, authAt + 32)), headAt + 8 + 32)
  repairFrameCrc(file, SEGMENT_HEADER_BYTES)
  return FaultStorage.holding(files)
}

async function findingsOf(storage: FaultStorage): Promise<Finding[]> {
  const findings: Finding[] = []
  for await (const finding of verifyLog({ storage, crypto, keys })) findings.push(finding)
  return findings
}

await t.test('a group of an unknown kind is skipped', async (t) => {
  const storage = await withUnknownKind(0)
  const { batches } = await open({ storage, readOnly: true })
  t.same(numbersOf(batches), [1])
  t.equal(batches[0]?.groups.length, 1)
  t.same(await findingsOf(storage), [])
})

await t.test('a group of an unknown kind that is critical, or has unknown flags, refuses the chain', async (t) => {
  for (const flags of [1, 2, 3]) {
    const storage = await withUnknownKind(flags)
    await t.rejects(open({ storage, readOnly: true }), { code: 'UNSUPPORTED_FORMAT' })
    t.match(await findingsOf(storage), [{ kind: 'segment', message: /kind of group/ }])
  }
})
