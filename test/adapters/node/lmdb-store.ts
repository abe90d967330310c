import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
  writer.write([{ key: Uint8Array.of(1), value: Uint8Array.of(2) }])
  reader.refresh()
  t.same([...(reader.get(Uint8Array.of(1)) ?? [])], [2])
  t.ok(writer.sizeBytes() > 0)
  await reader.close()
  await writer.close()
})
