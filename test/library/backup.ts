/** Backups: what they hold, what interrupts them, and what they are never put in the place of. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { restoreChain } from '../../src/index.js'
import { diskChains, filesOf, store, texts } from '../helpers/disk-chains.js'

/** The salt that the sealing keys of the last session are derived with (`docs/format.md`). */
function sessionSalt(directory: string): string {
  const last = Object.keys(filesOf(directory))
    .filter((name) => name.endsWith('.seg'))
    .at(-1)
  const bytes = readFileSync(join(directory, last ?? ''))
  const group = 152 + 32 + bytes.readUInt32LE(152 + 16)
  return bytes.subarray(group + 56, group + 88).toString('hex')
}

await t.test(
  'a backup is made while the chain is in use, the next one copies what is new, and it comes back',
  async (t) => {
    const { root, config, elsewhere, open, on } = diskChains(t)
    const backup = join(root, 'backup')
    const chain = await open()
    for (let i = 0; i < 5; i++) await store(chain, `first ${i}`)
    const running = chain.backup(backup, { withKey: true })
    await store(chain, 'meanwhile')
    const first = await running
    t.ok(first.sequence >= 5 && first.copiedSegments === first.segments && first.bytes === first.copiedBytes, 'all')
    await store(chain, 'second')
    const second = await chain.backup(backup, { withKey: true })
    t.equal(second.copiedSegments, 1, 'only what is new')
    t.equal(second.segments, first.segments + 1)
    await store(chain, 'too late')
    await chain.close()
    on(elsewhere)
    const restored = await restoreChain(elsewhere, 'notes', backup)
    t.strictSame(restored, { sequence: second.sequence, bytes: restored.bytes, keptAside: undefined })
    const copy = await open(elsewhere)
    t.strictSame(await texts(copy), ['first 0', 'first 1', 'first 2', 'first 3', 'first 4', 'meanwhile', 'second'])
    await store(copy, 'it goes on')
    await copy.close()
    on(config)
    const salts = ['logs', 'elsewhere'].map((place) => sessionSalt(join(root, place, 'notes')))
    t.not(salts[0], salts[1], 'what both write now is sealed with keys of their own')
    await using reading = await open(config.with({ readOnly: true }))
    await t.rejects(reading.backup(backup, { withKey: true }), { code: 'READ_ONLY' }, 'its last segment may be open')
  },
)

await t.test(
  'a backup without a passphrase asks whether the key is to lie in it; with one it holds sealed bytes only',
  async (t) => {
    const { root, config, elsewhere, open, on } = diskChains(t)
    const plain = await open()
    await store(plain, 'a')
    await t.rejects(plain.backup(join(root, 'backup')), { code: 'BAD_ARGUMENT' })
    await plain.backup(join(root, 'backup'), { withKey: false })
    t.notOk(existsSync(join(root, 'backup', 'key')))
    await plain.close()
    on(elsewhere)
    await t.rejects(restoreChain(elsewhere, 'notes', join(root, 'backup')), { code: 'NO_PASSPHRASE' })
    on(config)
    const sealed = await open(config.with({ passphrase: 'secret' }), 'sealed')
    await store(sealed, 'the plain text of it')
    await sealed.backup(join(root, 'sealed'))
    await sealed.close()
    const all = Object.values(filesOf(join(root, 'sealed'))).map((file) =>
      Buffer.from(file, 'base64').toString('latin1'),
    )
    t.ok(all.every((file) => !file.includes('the plain text')))
    on(elsewhere)
    await t.rejects(restoreChain(elsewhere.with({ passphrase: 'wrong' }), 'sealed', join(root, 'sealed')), {
      code: 'WRONG_PASSPHRASE',
    })
    await restoreChain(elsewhere.with({ passphrase: 'secret' }), 'sealed', join(root, 'sealed'))
    await using copy = await open(elsewhere.with({ passphrase: 'secret' }), 'sealed')
    t.strictSame(await texts(copy), ['the plain text of it'])
  },
)

await t.test('a backup that is interrupted anywhere leaves the last one, and the next one completes it', async (t) => {
  const { root, elsewhere, open, on } = diskChains(t)
  const backup = join(root, 'backup')
  const chain = await open()
  await store(chain, 'first')
  await chain.backup(backup, { withKey: true })
  await store(chain, 'x'.repeat(3_000_000))
  await chain.rotate()
  await store(chain, 'second')
  for (let steps = 1; steps <= 6; steps += 1) {
    const end = new AbortController()
    let left = steps
    const onProgress = (): void => (--left === 0 ? end.abort() : undefined)
    await t.rejects(chain.backup(backup, { withKey: true, signal: end.signal, onProgress }), { code: 'ABORTED' })
    on(elsewhere)
    await restoreChain(elsewhere, `notes-${steps}`, backup)
    const copy = await open(elsewhere, `notes-${steps}`)
    t.strictSame(await texts(copy), ['first'], `given up after ${steps}`)
    await copy.close()
  }
  const report = await chain.backup(backup, { withKey: true })
  await chain.close()
  await restoreChain(elsewhere, 'whole', backup)
  const copy = await open(elsewhere, 'whole')
  t.equal((await texts(copy)).length, 3)
  t.ok(report.copiedBytes > 3_000_000)
  await copy.close()
})

await t.test('a backup that the disk has changed is found, by the next one and by a restore', async (t) => {
  const { root, elsewhere, open, on } = diskChains(t)
  const backup = join(root, 'backup')
  const chain = await open()
  await store(chain, 'first')
  await chain.backup(backup, { withKey: true })
  const file = join(backup, '0000000001.seg')
  const bytes = readFileSync(file)
  bytes[600] = (bytes[600] ?? 0) ^ 1
  writeFileSync(file, bytes)
  await store(chain, 'second')
  await t.rejects(chain.backup(backup, { withKey: true }), { code: 'CHAIN_DAMAGED' })
  await chain.close()
  on(elsewhere)
  await t.rejects(restoreChain(elsewhere, 'notes', backup), { code: 'CHAIN_DAMAGED' })
  t.notOk(existsSync(join(root, 'elsewhere', 'notes')), 'nothing is there then')
})

await t.test('an older backup is not put in the place of a newer chain, nor of a forked or another one', async (t) => {
  const { root, config, elsewhere, open, on } = diskChains(t)
  const backup = join(root, 'backup')
  const chain = await open()
  await store(chain, 'first')
  await chain.backup(backup, { withKey: true })
  await t.rejects(restoreChain(config, 'notes', backup), { code: 'CHAIN_LOCKED' })
  await chain.close()
  await t.rejects(restoreChain(config, 'notes', backup), { code: 'CHAIN_EXISTS' }, 'the same')
  const later = await open()
  await store(later, 'second')
  await later.close()
  const before = filesOf(join(root, 'logs', 'notes'))
  await t.rejects(restoreChain(config, 'notes', backup), { code: 'CHAIN_NEWER' })
  on(elsewhere)
  await restoreChain(elsewhere, 'notes', backup)
  const forked = await open(elsewhere)
  await store(forked, 'another second')
  await t.rejects(forked.backup(join(root, 'logs', 'notes'), { withKey: true }), { code: 'CHAIN_FORKED' })
  await forked.backup(join(root, 'forked'), { withKey: true })
  await forked.close()
  on(config)
  await t.rejects(restoreChain(config, 'notes', join(root, 'forked')), { code: 'CHAIN_FORKED' })
  const other = await open(config, 'other')
  await store(other, 'of another chain')
  await t.rejects(other.backup(backup, { withKey: true }), { code: 'OTHER_CHAIN' })
  await other.close()
  await t.rejects(restoreChain(config, 'other', backup), { code: 'OTHER_CHAIN' })
  t.strictSame(filesOf(join(root, 'logs', 'notes')), before, 'nothing has changed')
})

await t.test(
  'with force the old chain is kept aside, and what the anchor knows is set back when that is asked for',
  async (t) => {
    const { root, config, open } = diskChains(t)
    const backup = join(root, 'backup')
    const chain = await open()
    await store(chain, 'first')
    await chain.backup(backup, { withKey: true })
    await store(chain, 'second')
    await chain.close()
    await t.rejects(restoreChain(config, 'notes', backup, { force: true }), { code: 'CHAIN_ROLLED_BACK' })
    const { keptAside } = await restoreChain(config, 'notes', backup, { force: true, acceptRollback: true })
    t.equal(keptAside, join(root, 'logs', 'notes.replaced'))
    const old = await open()
    t.strictSame(await texts(old), ['first'], 'it opens: the anchor is that of the backup')
    await store(old, 'another second')
    await t.rejects(old.backup(join(root, 'logs', 'notes.replaced'), { withKey: true }), { code: 'CHAIN_FORKED' })
    await old.close()
    t.notOk(existsSync(join(root, 'logs', 'notes.restoring')))
  },
)

await t.test('a directory of something else becomes no backup', async (t) => {
  const { root, open } = diskChains(t)
  mkdirSync(join(root, 'home'))
  appendFileSync(join(root, 'home', 'letter.txt'), 'dear')
  await using chain = await open()
  await t.rejects(chain.backup(join(root, 'home'), { withKey: true }), { code: 'NOT_A_CHAIN' })
})
