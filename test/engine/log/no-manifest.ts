/** A log whose manifest is damaged or gone: refused, and read from its segment files where damage is allowed. */
import t, { type Test } from 'tap'
import { AteError } from '../../../src/engine/error.js'
import { describeChain, MemoryStorage, verifyLog } from '../../../src/engine/log/index.js'
import type { Finding } from '../../../src/engine/log/types.js'
import { contentIsRight, crypto, draft, filled, keys, numbersOf, open } from '../../helpers/log-workbench.js'

/** Batches 1 to 5 in two segments, closed. */
async function twoSegments<S extends MemoryStorage>(storage: S): Promise<S> {
  await (await filled(storage, 3, 5000)).close()
  const { log } = await open({ storage })
  await log.append([draft(4, 5000)])
  await log.append([draft(5)])
  await log.close()
  return storage
}

async function manifestOf(storage: MemoryStorage): Promise<Uint8Array> {
  return (await storage.readSmall('manifest', 1 << 20)) ?? new Uint8Array()
}

async function verified(storage: MemoryStorage): Promise<Finding[]> {
  const findings: Finding[] = []
  for await (const finding of verifyLog({ storage, crypto, keys })) findings.push(finding)
  return findings
}

const DAMAGE: Record<string, (storage: MemoryStorage) => Promise<void>> = {
  'cut short': async (storage) => storage.replaceSmall('manifest', (await manifestOf(storage)).subarray(0, 20)),
  empty: (storage) => storage.replaceSmall('manifest', new Uint8Array()),
  zeroed: (storage) => storage.replaceSmall('manifest', new Uint8Array(300)),
  'not authentic': async (storage) => {
    const bytes = (await manifestOf(storage)).slice()
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1
    await storage.replaceSmall('manifest', bytes)
  },
  gone: (storage) => storage.remove('manifest'),
}

async function readsAll(t: Test, storage: MemoryStorage): Promise<void> {
  const findings: Finding[] = []
  const { log, batches } = await open({
    storage,
    readOnly: true,
    allowDamage: true,
    onFinding: (finding) => findings.push(finding),
  })
  t.same(numbersOf(batches), [1, 2, 3, 4, 5])
  t.ok(contentIsRight(storage, batches))
  t.match(findings, [{ kind: 'manifest', message: /^the manifest (is damaged|is missing|cannot be read): / }])
  t.equal(findings.length, 1)
  t.equal(log.head?.sequence, 5)
  await log.close()
}

for (const [what, damage] of Object.entries(DAMAGE)) {
  await t.test(
    `a manifest that is ${what} is refused as damage, and everything is read where that is allowed`,
    async (t) => {
      const storage = await twoSegments(new MemoryStorage())
      const kept = await manifestOf(storage)
      await damage(storage)
      const hint = /Put back a copy/
      await t.rejects(open({ storage }), { code: 'CHAIN_DAMAGED', hint })
      await t.rejects(open({ storage, readOnly: true }), { code: 'CHAIN_DAMAGED', hint })
      if (what !== 'not authentic') await t.rejects(describeChain(storage), { code: 'CHAIN_DAMAGED', hint })
      await readsAll(t, storage)
      t.match(await verified(storage), [{ kind: 'manifest' }])
      await storage.replaceSmall('manifest', kept)
      t.same(await verified(storage), [], 'nothing was changed')
    },
  )
}

await t.test(
  'a manifest on a bad sector is an error of the medium, and read around where damage is allowed',
  async (t) => {
    class BadSector extends MemoryStorage {
      isBad = false
      override readSmall(name: string, maxBytes: number): Promise<Uint8Array | undefined> {
        return this.isBad ? Promise.reject(new AteError('INPUT_OUTPUT', 'bad sector')) : super.readSmall(name, maxBytes)
      }
    }
    const storage = await twoSegments(new BadSector())
    storage.isBad = true
    await t.rejects(open({ storage }), { code: 'INPUT_OUTPUT' })
    await readsAll(t, storage)
  },
)

await t.test('damage in a segment is told too, and what is behind it is read', async (t) => {
  const storage = await twoSegments(new MemoryStorage())
  await storage.remove('manifest')
  const file = await storage.openSegment('0000000001.seg', 'append')
  await file.write((await file.size()) - 40, [new Uint8Array(40)])
  const findings: Finding[] = []
  const { batches } = await open({
    storage,
    readOnly: true,
    allowDamage: true,
    onFinding: (finding) => findings.push(finding),
  })
  t.same(numbersOf(batches).slice(-2), [4, 5])
  t.match(findings.slice(1), [{ segment: Number }])
})

await t.test('segments of a history that was left for an older copy are left out', async (t) => {
  const storage = new MemoryStorage()
  await (await filled(storage, 3)).close()
  const older = await manifestOf(storage)
  const { log } = await open({ storage })
  for (const number of [4, 5, 6]) await log.append([draft(number)])
  await log.close()
  await storage.replaceSmall('manifest', older)
  const other = await open({ storage, acceptRollback: true })
  for (const number of [14, 15]) await other.log.append([draft(number)])
  await other.log.close()
  await storage.remove('manifest')
  const { batches } = await open({ storage, readOnly: true, allowDamage: true })
  t.same(numbersOf(batches), [1, 2, 3, 14, 15])
  t.equal((await verified(storage)).length, 1)
})

await t.test('without manifest and segments there is no chain, whatever is allowed', async (t) => {
  const storage = new MemoryStorage()
  await storage.replaceSmall('keyring', new Uint8Array(10))
  await t.rejects(open({ storage, readOnly: true, allowDamage: true }), { code: 'NOT_A_CHAIN' })
  await t.rejects(describeChain(storage), { code: 'NOT_A_CHAIN' })
})
