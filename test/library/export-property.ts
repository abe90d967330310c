/** Exporting and importing is identity: whatever was done to a chain, and however it is carried. */
import t from 'tap'
import { type Chain, importRange, type ObjectKey } from '../../src/index.js'
import { bytesOf, diskChains, Note, store, texts } from '../helpers/disk-chains.js'
import { seededRandom } from '../helpers/seeded-random.js'

const RUNS = Number(process.env['ATEFS_FUZZ_RUNS'] ?? 1)
/** Nothing is waited for: what is exported was synced by the end of a round. */
const UNSYNCED = { durability: 'memory' } as const
const SIZES = [1, 300, 20_000, 150_000]

/** Changes, deletes or stores a note, or begins a new segment. */
async function step(chain: Chain, keys: ObjectKey[], random: () => number): Promise<void> {
  const text = 'x'.repeat(SIZES[Math.floor(random() * SIZES.length)] ?? 1)
  const at = Math.floor(random() * keys.length)
  const key = keys[at]
  const choice = random()
  if (key === undefined || choice < 0.5)
    keys.push((await chain.transact((dio) => dio.store({ text }, { type: Note }), UNSYNCED)).key)
  else if (choice < 0.75) await chain.transact(async (dio) => ((await dio.load(Note, key)).text = text), UNSYNCED)
  else if (choice < 0.95) {
    await chain.transact((dio) => dio.delete(key), UNSYNCED)
    keys.splice(at, 1)
  } else await chain.rotate()
}

/** In pieces of any size. */
function* cut(bytes: Uint8Array, random: () => number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + Math.floor(random() * 100_000)
    yield bytes.subarray(at, end)
    at = end
  }
}

for (let seed = 1; seed <= RUNS; seed++)
  await t.test(`ranges of any size bring a copy to the same bytes and the same objects (seed ${seed})`, async (t) => {
    const random = seededRandom(seed)
    const { config, elsewhere, open, on } = diskChains(t)
    const keys: ObjectKey[] = []
    let carried = 0
    for (let round = 0; round < 3; round++) {
      const chain = await open()
      for (let i = Math.floor(random() * 12); i >= 0; i--) await step(chain, keys, random)
      await store(chain, `round ${round}`)
      const expected = await texts(chain)
      const whole = await bytesOf(chain.exportRange({ withKey: true }))
      const overlap = Math.floor(random() * (carried + 1))
      const range = await bytesOf(chain.exportRange({ from: carried + 1 - overlap, withKey: true }))
      await chain.close()
      on(elsewhere)
      carried = (await importRange(elsewhere, 'notes', cut(range, random))).sequence
      const copy = await open(elsewhere)
      t.strictSame(await texts(copy), expected)
      t.ok(Buffer.from(whole).equals(await bytesOf(copy.exportRange({ withKey: true }))), 'byte by byte')
      await copy.close()
      on(config)
    }
  })
