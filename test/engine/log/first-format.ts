/** Logs of the first format open as they always did, those of unknown formats are refused, and what is written is the same. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { nativeCrypto } from '../../../src/adapters/node/native-crypto.js'
import { describeChain, GroupReader, openLog, verifyLog } from '../../../src/engine/log/index.js'
import { GROUP_CONTENT, type ReplayedBatch } from '../../../src/engine/log/types.js'
import { buildAll, type Files, fixtureKeys, type FixtureChain, STILL_COUNTS } from '../../fixtures/chains/v1/build.js'
import { FaultStorage, SimulatedFile } from '../../helpers/fault-storage.js'

const folder = join(import.meta.dirname, '../../fixtures/chains/v1')
const chain = JSON.parse(readFileSync(join(folder, 'chain.json'), 'utf8')) as FixtureChain
const keys = fixtureKeys(chain)
const crypto = nativeCrypto

function filesOf(name: string): Files {
  return new Map(
    readdirSync(join(folder, name)).map((file) => [file, new Uint8Array(readFileSync(join(folder, name, file)))]),
  )
}

function fixture(name: string): FaultStorage {
  const files = [...filesOf(name)].map(([file, bytes]): [string, SimulatedFile] => {
    const simulated = new SimulatedFile()
    simulated.write(0, bytes)
    return [file, simulated]
  })
  return FaultStorage.holding(new Map(files))
}

async function read(storage: FaultStorage, readOnly = true): Promise<unknown[]> {
  const batches: ReplayedBatch[] = []
  const onBatch = (batch: ReplayedBatch): unknown => batches.push(batch)
  const { log } = await openLog({
    storage,
    crypto,
    keys,
    clock: () => 0,
    readOnly,
    onBatch: (batch) => void onBatch(batch),
  })
  await log.close()
  const reader = new GroupReader({ storage, crypto, keys })
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
  return batches.map(({ records, groups }) => ({
    records: records.map(text),
    content: Object.fromEntries(
      groups
        .filter(({ kind }) => kind === GROUP_CONTENT)
        .map((place) => [String(place.number), text(reader.open(place))]),
    ),
  }))
}

await t.test('the closed log holds what was written', async (t) => {
  const storage = fixture('closed')
  t.same(await read(storage), chain.batches)
  t.equal((await describeChain(storage)).suite, chain.suite)
  for await (const finding of verifyLog({ storage, crypto, keys })) t.fail(finding.message)
})

await t.test('the torn log is cut behind its last whole batch', async (t) => {
  const storage = fixture('torn')
  t.same(await read(storage, false), chain.batches.slice(0, 4))
  t.same(await read(storage), chain.batches.slice(0, 4))
})

await t.test('a log whose records are forgotten holds their content, and the records behind them', async (t) => {
  const storage = fixture('forgotten')
  t.same(await read(storage), [
    ...chain.batches.map(({ content }) => ({ records: [], content })),
    { records: [STILL_COUNTS], content: {} },
    { records: [], content: {} },
  ])
  for await (const finding of verifyLog({ storage, crypto, keys })) t.fail(finding.message)
  const text = Buffer.from(filesOf('forgotten').get('0000000001.seg') ?? []).toString('latin1')
  t.ok(text.includes('\0'.repeat(100)), 'the others are gone')
})

await t.test('a newer format and unknown features that matter are refused', async (t) => {
  for (const name of ['newer-format', 'unknown-incompat']) {
    await t.rejects(describeChain(fixture(name)), { code: 'UNSUPPORTED_FORMAT' })
    await t.rejects(read(fixture(name)), { code: 'UNSUPPORTED_FORMAT' })
  }
})

await t.test('an unknown feature that only matters to writers allows reading', async (t) => {
  t.same(await read(fixture('unknown-ro-compat')), chain.batches)
  await t.rejects(read(fixture('unknown-ro-compat'), false), { code: 'UNSUPPORTED_FORMAT' })
  t.same(await read(fixture('unknown-compat'), false), chain.batches)
})

await t.test('the same batches with the same randomness are the same bytes', async (t) => {
  for (const [name, files] of Object.entries(await buildAll(chain))) t.same(files, filesOf(name), name)
})
