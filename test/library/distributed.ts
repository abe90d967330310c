/** Chains of distributed trust, as programs have them. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import {
  AteConfig,
  AteSession,
  ChainBuilder,
  dataType,
  generateWriteKey,
  plain,
  type VerifiedBatch,
  verifyAuthors,
  writeBy,
} from '../../src/index.js'

const Note = dataType('Note', plain<{ text: string }>())

function onDisk(t: Test): { config: AteConfig; segments: () => Promise<VerifiedBatch[]>; logBytes: () => number } {
  const root = mkdtempSync(join(tmpdir(), 'atefs-distributed-'))
  const state = process.env['XDG_STATE_HOME']
  process.env['XDG_STATE_HOME'] = join(root, 'state')
  t.teardown(() => {
    if (state === undefined) delete process.env['XDG_STATE_HOME']
    else process.env['XDG_STATE_HOME'] = state
    rmSync(root, { recursive: true })
  })
  const directory = join(root, 'logs', 'ledger')
  const segments = async (): Promise<VerifiedBatch[]> => {
    const names = readdirSync(directory).filter((name) => name.endsWith('.seg'))
    const batches: VerifiedBatch[] = []
    for (const name of names.sort()) batches.push(...(await verifyAuthors(readFileSync(join(directory, name)))))
    return batches
  }
  const logBytes = (): number => {
    const names = readdirSync(directory).filter((name) => name.endsWith('.seg'))
    return names.reduce((sum, name) => sum + readFileSync(join(directory, name)).length, 0)
  }
  return { config: AteConfig.default().with({ logPath: join(root, 'logs'), trust: 'distributed' }), segments, logBytes }
}

await t.test('anybody can verify who wrote what of a chain, from its files and without its key', async (t) => {
  const [root, alice, bob] = [generateWriteKey(), generateWriteKey(), generateWriteKey()]
  const { config, segments } = onDisk(t)
  const open = () => new ChainBuilder(config.with({ rootKeys: [root] })).open('ledger')
  const chain = await open()
  const dio = chain.dioMut(new AteSession({ writeKeys: [root] }))
  const note = dio.store({ text: 'of Alice' }, { type: Note })
  dio.protect(note, { write: writeBy.only(alice) })
  const open_ = dio.store({ text: 'of everybody' }, { type: Note })
  dio.protect(open_, { write: writeBy.everyone })
  await dio.commit()
  const change = (key: typeof note.key, text: string, session?: AteSession): Promise<void> =>
    chain.transact(
      async (dio) => void ((await dio.load(Note, key)).text = text),
      session === undefined ? {} : { session },
    )
  await change(note.key, 'changed', new AteSession({ writeKeys: [bob, alice] }))
  await change(open_.key, 'by Bob', new AteSession({ writeKeys: [bob] }))
  await change(open_.key, 'by nobody')
  await chain.close()
  const batches = await segments()
  t.strictSame(
    batches.map(({ signers }) => signers),
    [[], [root.id], [alice.id], [bob.id], []],
  )
  t.ok(batches.every(({ isWhole }) => isWhole))
  await using again = await open()
  t.equal((await again.dio().load(Note, note.key)).text, 'changed')
})

await t.test('commits that are under way together share signatures, and each has its own', async (t) => {
  const root = generateWriteKey()
  const { config, segments, logBytes } = onDisk(t)
  const chain = await new ChainBuilder(config.with({ rootKeys: [root] })).open('ledger')
  const session = new AteSession({ writeKeys: [root] })
  const store = (): Promise<unknown> =>
    chain.transact((dio) => void dio.store({ text: 'together' }, { type: Note }), { session })
  await Promise.all(Array.from({ length: 40 }, store))
  await chain.close()
  const batches = await segments()
  t.equal(batches.filter(({ signers: [signer] }) => signer === root.id).length, 40)
  t.ok(logBytes() < 20 * 5360, `${logBytes()} bytes, of which a signature takes 5,360`)
})

await t.test('a chain in memory signs with the same code', async (t) => {
  const root = generateWriteKey()
  const config = AteConfig.default().with({ trust: 'distributed', rootKeys: [root] })
  await using chain = await new ChainBuilder(config).open('memory')
  const dio = chain.dioMut(new AteSession({ writeKeys: [root] }))
  const { key } = dio.store({ text: 'signed' }, { type: Note })
  await dio.commit()
  t.equal((await chain.dio().load(Note, key)).text, 'signed')
})

await t.test('who asks for another trust than a chain has is refused it', async (t) => {
  const { config } = onDisk(t)
  await (await new ChainBuilder(config).open('ledger')).close()
  await t.rejects(new ChainBuilder(config.with({ trust: 'local' })).open('ledger'), { code: 'NOT_AUTHORIZED' })
  await (await new ChainBuilder(config).open('ledger')).close()
})

await t.test(
  'a transaction that needs more rights than can sign one batch is refused, and nothing has happened',
  async (t) => {
    const keys = Array.from({ length: 13 }, () => generateWriteKey())
    await using chain = await new ChainBuilder(AteConfig.default().with({ trust: 'distributed' })).open('memory')
    const dio = chain.dioMut()
    const notes = keys.map((key) => {
      const note = dio.store({ text: 'one' }, { type: Note })
      dio.protect(note, { write: writeBy.only(key) })
      return note.key
    })
    await dio.commit()
    const all = chain.dioMut(new AteSession({ writeKeys: keys }))
    for (const key of notes) (await all.load(Note, key)).text = 'two'
    await t.rejects(all.commit(), { code: 'TRANSACTION_TOO_LARGE' })
    for (const key of notes) t.equal((await chain.dio().load(Note, key)).text, 'one')
  },
)
