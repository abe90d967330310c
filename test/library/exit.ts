/** A program ends by itself when it has closed its chain, and also when it has not: what it waited for is in the chain then. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { projectRoot } from '../helpers/source-files.js'

const program = (entry: string, logPath: string): string => `
import { readdirSync } from 'node:fs'
import { AteConfig, ChainBuilder, dataType, plain, Registry, service, vecOf } from ${JSON.stringify(entry)}
const Moon = dataType('Moon', plain())
const World = dataType('World', plain(), { links: { moons: vecOf(Moon) } })
const echo = service('echo', Moon, Moon)
const memory = AteConfig.default().with({ ntp: { pool: '127.0.0.1', port: 9 } })
const disk = memory.with({ logPath: ${JSON.stringify(logPath)} })

async function useAll(config) {
  const chain = await new ChainBuilder(config).open('universe')
  const { key } = await chain.transact((dio) => dio.store({ commandment: 'Hello' }, { type: World }))
  const reader = chain.dio()
  const events = (await reader.load(World, key)).moons.subscribe()
  const watching = (async () => { for await (const event of events) void event })()
  const queue = await chain.queue('jobs', World)
  await queue.send({ commandment: 'Hello' })
  const end = new AbortController()
  const { signal } = end
  const serving = chain.serve(echo, ({ name }) => ({ name }), { signal })
  await chain.invoke(echo, { name: 'Io' })
  await queue.process(() => end.abort(), { signal })
  await serving
  await chain.lock('a name', { leaseMs: 60_000 })
  void chain.lock('a name').catch(() => undefined)
  await chain.transact(async (dio) => (await dio.load(World, key)).moons.push({ name: 'Io' }))
  await chain.compact()
  await chain.close()
  await watching
  const registry = new Registry(config)
  const use = await registry.open('universe')
  await registry.load({ chain: 'universe', key }, World).catch(() => undefined)
  use.done()
  await registry.open('universe')
  await registry.close()
}

// A thread that has said its last word gives its handles back a moment later.
async function handlesLeft(before) {
  const count = () => readdirSync('/proc/self/fd').length
  for (let tries = 0; tries < 100 && count() > before; tries++) await new Promise((resolve) => setTimeout(resolve, 50))
  return count()
}

const handles = []
for (let round = 0; round < 3; round++) {
  for (const config of [memory, disk]) await useAll(config)
  handles.push(await handlesLeft(handles.at(-1)))
}
if (handles[1] !== handles[2]) console.log('handles:', handles)
const left = process.getActiveResourcesInfo().filter((name) => ['Timeout', 'MessagePort', 'Worker'].includes(name))
if (left.length > 0) console.log('left:', left)
console.log('done')
`

await t.test('on disk and in memory, whatever was used of it and is still held; no handle is left', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'atefs-exit-'))
  t.teardown(() => rmSync(root, { recursive: true }))
  const file = join(root, 'program.mjs')
  writeFileSync(file, program(join(projectRoot, 'dist/index.js'), join(root, 'logs')))
  const env = { ...process.env, XDG_STATE_HOME: join(root, 'state') }
  const { stdout, stderr, status, signal } = spawnSync(process.execPath, [file], {
    env,
    timeout: 30_000,
    encoding: 'utf8',
  })
  t.equal(stdout, 'done\n', stderr)
  t.equal(status, 0)
  t.equal(signal, null, 'it ended by itself')
  const args = [join(projectRoot, 'bin/run.js'), 'fsck', 'universe', '--log-path', join(root, 'logs')]
  const fsck = spawnSync(process.execPath, args, { env, timeout: 30_000, encoding: 'utf8' })
  t.equal(fsck.status, 0, `fsck finds nothing wrong with a chain without a file system: ${fsck.stdout}${fsck.stderr}`)
})

const FORGETFUL = (entry: string, logPath: string): string => `
import { AteConfig, ChainBuilder, dataType, plain } from ${JSON.stringify(entry)}
const Note = dataType('Note', plain())
const chain = await new ChainBuilder(AteConfig.default().with({ logPath: ${JSON.stringify(logPath)} })).open('universe')
const before = [...chain.dio().rootKeys()].length
await chain.transact((dio) => dio.store({ text: 'x'.repeat(100_000) }, { type: Note }))
const dio = chain.dioMut()
for (let i = 0; i < 200; i++) {
  dio.store({ text: String(i) }, { type: Note })
  await dio.commit({ durability: 'memory' })
}
dio.store({ text: 'not waited for' }, { type: Note })
void dio.commit().then(() => console.log(before))
`

await t.test('a chain that is left open keeps no program, and nothing that was committed is lost', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'atefs-exit-'))
  t.teardown(() => rmSync(root, { recursive: true }))
  const [file, logPath] = [join(root, 'program.mjs'), join(root, 'logs')]
  writeFileSync(file, FORGETFUL(join(projectRoot, 'dist/index.js'), logPath))
  const env = { ...process.env, NODE_OPTIONS: '', XDG_STATE_HOME: join(root, 'state') }
  for (let round = 0; round < 3; round++) {
    const ended = spawnSync(process.execPath, [file], { env, timeout: 30_000, encoding: 'utf8' })
    const { stdout, stderr, status, signal } = ended
    t.strictSame(
      { stdout, stderr, status, signal },
      { stdout: `${round * 202}\n`, stderr: '', status: 0, signal: null },
    )
  }
  const args = [join(projectRoot, 'bin/run.js'), 'fsck', 'universe', '--log-path', logPath]
  t.equal(spawnSync(process.execPath, args, { env, timeout: 30_000 }).status, 0, 'and fsck finds nothing wrong')
})
