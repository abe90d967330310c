/**
 * A chain of distributed trust on disk that is compacted, by the program and in a program: checked, backed up, restored, exported and
 * imported after it, all of it reads as before, and who wrote what is told of every copy.
 */
import { readdirSync, readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import {
  AteConfig,
  AteSession,
  type Chain,
  ChainBuilder,
  generateWriteKey,
  importRange,
  type ObjectKey,
  type RefusedBatch,
  type VerifiedBatch,
  verifyAuthors,
  writeBy,
} from '../../src/index.js'
import { cliWorld, type CliWorld } from '../helpers/cli.js'
import { bytesOf, Note, texts } from '../helpers/disk-chains.js'

const [root, alice] = [generateWriteKey(), generateWriteKey()]
const KEPT = ['kept 0', 'kept 1', 'kept 2']

function configIn(world: CliWorld, place = ''): AteConfig {
  return AteConfig.default().with({
    logPath: world.path(`chains${place}`),
    anchorPath: world.path(`state${place}/atefs/anchors`),
    compactMode: 'never',
    trust: 'distributed',
    rootKeys: [root],
  })
}

function keptTexts(): string[] {
  return KEPT.map((name) => name.padEnd(20_000, name))
}

/** Notes of Alice's, of which those that are not kept are deleted; closed. */
async function makeLedger(config: AteConfig): Promise<void> {
  await using chain = await new ChainBuilder(config).open('ledger')
  const session = new AteSession({ writeKeys: [root, alice] })
  const write = async (text: string): Promise<ObjectKey> => {
    const dio = chain.dioMut(session)
    const note = dio.store({ text }, { type: Note })
    dio.protect(note, { write: writeBy.only(alice) })
    await dio.commit()
    return note.key
  }
  const gone = [await write('gone'.padEnd(60_000, 'letters'))]
  for (const text of keptTexts()) await write(text)
  gone.push(await write('gone too'.padEnd(60_000, 'letters')))
  await chain.transact((dio) => gone.forEach((key) => dio.delete(key)), { session })
}

/** Of all segments of a chain, without its key. */
async function authorsIn(directory: string): Promise<VerifiedBatch[]> {
  const segments = readdirSync(directory).filter((name) => name.endsWith('.seg'))
  const batches = await Promise.all(segments.sort().map((name) => verifyAuthors(readFileSync(`${directory}/${name}`))))
  return batches.flat()
}

const told = ({ sequence, digest, signers }: VerifiedBatch): unknown => [sequence, digest, signers]

/** That it says what `before` said, and that content is gone from it. */
async function demandAuthors(
  t: Test,
  directory: string,
  before: readonly VerifiedBatch[],
  what: string,
): Promise<void> {
  const after = await authorsIn(directory)
  t.strictSame(after.slice(0, before.length).map(told), before.map(told), `${what}: the same authors`)
  t.equal(after.filter(({ isWhole }) => !isWhole).length, 2, `${what}: the content of two batches is gone`)
}

async function demandReads(t: Test, config: AteConfig, what: string): Promise<void> {
  const refused: RefusedBatch[] = []
  const onRefused = (one: RefusedBatch): void => void refused.push(one)
  await using chain: Chain = await new ChainBuilder(config.with({ onRefused })).open('ledger')
  t.strictSame(await texts(chain), keptTexts(), `${what} reads`)
  t.strictSame(refused, [], `${what}: nothing is refused`)
}

await t.test('what db compact leaves is sound, provable, and travels in every way', async (t) => {
  const world = cliWorld(t)
  const config = configIn(world)
  await makeLedger(config)
  const before = await authorsIn(world.path('chains/ledger'))
  t.ok(before.every(({ isWhole }) => isWhole))
  t.ok(
    before.some(({ signers }) => signers.includes(alice.id)),
    'Alice has signed what is hers',
  )
  const run = async (...words: string[]): Promise<Record<string, unknown>> => {
    const { code, stdout, stderr } = await world.run([...words, '--json', '--log-path', world.path('chains')])
    t.equal(code, 0, `${words.join(' ')}: ${stdout}${stderr}`)
    return JSON.parse(stdout) as Record<string, unknown>
  }
  const compacted = await run('db', 'compact', 'ledger')
  t.ok(Number(compacted['bodies']) >= 2)
  t.ok(Number(compacted['freedBytes']) > 100_000, JSON.stringify(compacted))
  t.match(await run('fsck', 'ledger'), { findings: [] })
  await demandAuthors(t, world.path('chains/ledger'), before, 'compacted')
  await demandReads(t, config, 'the chain')

  await run('db', 'backup', 'ledger', world.path('backup'), '--with-key')
  await run('db', 'restore', world.path('backup'), 'restored')
  t.match(await run('fsck', 'restored'), { findings: [] })
  await demandAuthors(t, world.path('chains/restored'), before, 'restored')

  const elsewhere = configIn(world, '-elsewhere')
  const chain = await new ChainBuilder(config).open('ledger')
  const exported = await bytesOf(chain.exportRange({ withKey: true }))
  t.match(await chain.compact(), { bodies: 0 }, 'nothing is left')
  await chain.close()
  t.ok(exported.length < 130_000, `${exported.length} bytes without what is gone`)
  await importRange(elsewhere, 'ledger', [exported])
  await demandReads(t, elsewhere, 'the import')
  await demandAuthors(t, world.path('chains-elsewhere/ledger'), before, 'imported')
})
