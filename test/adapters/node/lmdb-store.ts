import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { LmdbStore, removeLmdbStore } from '../../../src/adapters/node/lmdb-store.js'
import { orderedStore } from '../../contract/ordered-store.js'

const directory = mkdtempSync(join(tmpdir(), 'atefs-lmdb-'))
t.teardown(() => removeLmdbStore(directory))
let made = 0

await orderedStore(t, () => new LmdbStore(join(directory, String(made++)), { readOnly: false }))

await t.test('a reader keeps its view until it refreshes', async (t) => {
  const path = join(directory, 'shared')
  const writer = new LmdbStore(path, { readOnly: false })
  writer.write([{ key: Uint8Array.of(1), value: Uint8Array.of(1) }])
  const reader = new LmdbStore(path, { readOnly: true })
  t.same([...(reader.get(Uint8Array.of(1)) ?? [])], [1])
  writer.write([
    { key: Uint8Array.of(1), value: Uint8Array.of(2) },
    { key: Uint8Array.of(3), value: Uint8Array.of(3) },
  ])
  t.same([...(writer.get(Uint8Array.of(1)) ?? [])], [2], 'the writer sees what it wrote')
  await turnsOfTheEventLoop()
  t.same([...(reader.get(Uint8Array.of(1)) ?? [])], [1])
  t.equal(reader.after(Uint8Array.of(1)), undefined)
  t.same([...(reader.floor(Uint8Array.of(9)) ?? [])], [1])
  reader.refresh()
  t.same([...(reader.get(Uint8Array.of(1)) ?? [])], [2])
  t.ok(writer.sizeBytes() > 0)
  await reader.close()
  await writer.close()
})

/** A timer after a timer: whatever was due at the end of this turn has happened. */
async function turnsOfTheEventLoop(): Promise<void> {
  for (let i = 0; i < 3; i++) await sleep(2)
}
