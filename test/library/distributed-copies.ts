/** Copies of chains of distributed trust are told apart by their history, as those of any. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { AteSession, generateWriteKey, importRange, restoreChain } from '../../src/index.js'
import { bytesOf, diskChains, Note, texts } from '../helpers/disk-chains.js'

const root = generateWriteKey()

function ledgers(t: Test) {
  const chains = diskChains(t)
  const [config, elsewhere] = [chains.config, chains.elsewhere].map((machine) =>
    machine.with({ trust: 'distributed', rootKeys: [root] }),
  )
  if (config === undefined || elsewhere === undefined) throw new Error('two machines')
  const write = async (text: string): Promise<void> => {
    await using chain = await chains.open(config)
    const dio = chain.dioMut(new AteSession({ writeKeys: [root] }))
    dio.store({ text }, { type: Note })
    await dio.commit()
  }
  return { ...chains, config, elsewhere, write, leave: () => chains.on(chains.elsewhere) }
}

await t.test('a backup of a chain of distributed trust comes back where the chain was', async (t) => {
  const { config, open, write, ...chains } = ledgers(t)
  const backup = join(chains.root, 'backup')
  await write('first')
  const chain = await open(config)
  await chain.backup(backup, { withKey: true })
  await chain.close()
  await t.rejects(restoreChain(config, 'notes', backup), { code: 'CHAIN_EXISTS' }, 'the same')
  await write('second')
  await t.rejects(restoreChain(config, 'notes', backup), { code: 'CHAIN_NEWER' })
  await t.rejects(restoreChain(config, 'notes', backup, { force: true }), { code: 'CHAIN_ROLLED_BACK' })
  const later = await open(config)
  await later.backup(backup, { withKey: true })
  await later.close()
  rmSync(join(chains.root, 'logs', 'notes'), { recursive: true })
  await restoreChain(config, 'notes', backup)
  await using again = await open(config)
  t.strictSame(await texts(again), ['first', 'second'], 'the anchor of this machine knows its history')
})

await t.test(
  'an export that overlaps a copy of distributed trust is taken in, also where its index is lost',
  async (t) => {
    const { root: directory, config, elsewhere, open, write, leave } = ledgers(t)
    for (const text of ['a', 'b', 'c']) await write(text)
    const chain = await open(config)
    const all = await bytesOf(chain.exportRange({ withKey: true }))
    const some = await bytesOf(chain.exportRange({ from: 2, to: 3 }))
    await chain.close()
    await write('d')
    const later = await open(config)
    const overlapping = await bytesOf(later.exportRange({ from: 2 }))
    await later.close()
    leave()
    const { sequence } = await importRange(elsewhere, 'notes', [all])
    t.match(await importRange(elsewhere, 'notes', [some]), { sequence, batches: 0 })
    rmSync(join(directory, 'elsewhere', 'notes', 'index'), { recursive: true })
    t.match(await importRange(elsewhere, 'notes', [overlapping]), { sequence: sequence + 1, batches: 1 })
    await using copy = await open(elsewhere)
    t.strictSame(await texts(copy), ['a', 'b', 'c', 'd'])
  },
)
