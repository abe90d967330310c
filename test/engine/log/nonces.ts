/**
 * No (key, nonce) is ever used twice: not after a crash, not after an older copy was restored, not when two copies of one
 * directory go on apart from each other.
 */
import t from 'tap'
import { toHex } from '../../../src/engine/bytes/hex.js'
import { SESSION_SALT_BYTES } from '../../../src/engine/crypto/chain-keys.js'
import { GroupOpener } from '../../../src/engine/log/group-opener.js'
import { GroupSealer } from '../../../src/engine/log/group-sealer.js'
import { readGroupHeader } from '../../../src/engine/log/format/group-header.js'
import { GROUP_CONTENT, GROUP_RECORDS } from '../../../src/engine/log/types.js'
import { FaultStorage, mediumAfter } from '../../helpers/fault-storage.js'
import { create, crypto, draft, keys, numbersOf, open } from '../../helpers/log-workbench.js'
import { SealRecorder } from '../../helpers/seal-recorder.js'

async function appendTo(storage: FaultStorage, recorder: SealRecorder, count = 3): Promise<FaultStorage> {
  const { log, batches } = await open({ storage, crypto: recorder.crypto })
  const next = numbersOf(batches).length + 1
  for (let i = 0; i < count; i++) await log.append([draft(next + i, 5000)])
  return storage
}

async function chain(): Promise<FaultStorage> {
  const storage = new FaultStorage()
  await create(storage)
  return storage
}

await t.test('a crash and what is written after it', async (t) => {
  const recorder = new SealRecorder(crypto)
  const storage = await appendTo(await chain(), recorder)
  for (let count = 0; count <= storage.operations.length; count++) {
    const files = mediumAfter(storage.operations.slice(0, count), 'all')
    if (files.has('manifest')) await appendTo(FaultStorage.holding(files), recorder, 1)
  }
  t.ok(recorder.seals.length > 30)
  t.equal(recorder.repeated, 0)
})

await t.test('an older copy restored and written to again and again', async (t) => {
  const recorder = new SealRecorder(crypto)
  const old = (await appendTo(await chain(), recorder)).snapshot()
  for (let i = 0; i < 20; i++) await appendTo(FaultStorage.holding(old), recorder)
  t.equal(recorder.repeated, 0)
  t.equal(recorder.keyCount, 2 * 21, 'every session seals with keys of its own')
})

await t.test('two copies of one directory that both go on', async (t) => {
  const recorder = new SealRecorder(crypto)
  const files = (await appendTo(await chain(), recorder)).snapshot()
  const copies = [FaultStorage.holding(files), FaultStorage.holding(files)]
  for (let round = 0; round < 5; round++) for (const copy of copies) await appendTo(copy, recorder)
  t.equal(recorder.repeated, 0)
})

await t.test('after the seals one key may make, a new salt is drawn', async (t) => {
  const recorder = new SealRecorder(crypto)
  const sealer = new GroupSealer(recorder.crypto, keys, 3)
  const opener = new GroupOpener(crypto, keys)
  const salts = new Set<string>()
  for (let number = 1; number <= 10; number++) {
    const kind = number % 2 === 0 ? GROUP_RECORDS : GROUP_CONTENT
    const target = new Uint8Array(200)
    const { storedBytes } = sealer.seal({ kind, number, parts: [Uint8Array.of(number)] }, target, 0)
    const stored = target.subarray(0, storedBytes)
    t.same(opener.open(stored, { kind, number }), Uint8Array.of(number))
    const salt = readGroupHeader(stored)?.salt
    t.equal(salt?.length, SESSION_SALT_BYTES)
    salts.add(toHex(salt ?? new Uint8Array()))
  }
  t.equal(recorder.keyCount, 4, 'five seals of each kind, three to a key')
  t.equal(salts.size, 3)
  t.equal(recorder.repeated, 0)
})
