/** A program that closes chains of a server which is cut off from it, amid all kinds of calls, is told by each of them, and ends. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t from 'tap'
import { serverBehindProxy } from '../helpers/chaos/server-behind-proxy.js'
import { projectRoot } from '../helpers/source-files.js'

const LIMIT_MS = 20_000

const program = (entry: string, url: string, directory: string): string => `
import { once } from 'node:events'
import { AteConfig, dataType, plain, Registry } from ${JSON.stringify(entry)}
const Note = dataType('Note', plain())
const memory = AteConfig.default().with({ passphrase: 'secret', knownServers: '${directory}/known', compactMode: 'never' })
const disk = memory.with({ logPath: '${directory}/logs', recoveryMode: 'sync' })
const [here, there, lazy] = [disk, disk.with({ logPath: '${directory}/there' }), memory].map((config) => new Registry(config))
const { chain } = await here.open(${JSON.stringify(url)}, 'notes')
const text = 'x'.repeat(100_000)
const { key } = await chain.transact((dio) => dio.store({ text }, { type: Note }), { durability: 'server' })
const { chain: reader } = await there.open(${JSON.stringify(url)}, 'notes')
const { chain: copy } = await lazy.open(${JSON.stringify(url)}, 'notes')
process.stdout.write('open\\n')
await once(process.stdin, 'data')
const store = (dio) => dio.store({ text: 'new' }, { type: Note })
const calls = {
  commit: chain.transact(store, { durability: 'server' }),
  lock: chain.lock('door'),
  barrier: reader.refresh(),
  load: copy.dio().load(Note, key),
  change: copy.transact(store),
}
const ends = Object.entries(calls).map(([name, call]) => call.then(() => name, ({ code }) => name + ' ' + code))
await Promise.all([here, there, lazy].map((registry) => registry.close()))
process.stdout.write((await Promise.all(ends)).join('\\n') + '\\n')
process.stdin.destroy()
`

const FAULTS = process.env['ATEFS_TEST_LONG'] === undefined ? (['part'] as const) : (['part', 'stall'] as const)

for (const fault of FAULTS)
  await t.test(`all of them end with CHAIN_CLOSED, and the process by itself (${fault})`, async (t) => {
    const root = mkdtempSync(join(tmpdir(), 'atefs-remote-exit-'))
    t.teardown(() => rmSync(root, { recursive: true }))
    const { proxy } = await serverBehindProxy(t)
    const file = join(root, 'program.mjs')
    const url = `ws://127.0.0.1:${proxy.port}/db`
    writeFileSync(file, program(join(projectRoot, 'dist/index.js'), url, root))
    const env = { ...process.env, NODE_OPTIONS: '', XDG_STATE_HOME: join(root, 'state') }
    const child = spawn(process.execPath, [file], { env, stdio: ['pipe', 'pipe', 'inherit'] })
    t.teardown(() => child.kill('SIGKILL'))
    const ended = once(child, 'exit')
    const lines: string[] = []
    const reader = createInterface({ input: child.stdout }).on('line', (line) => lines.push(line))
    await Promise.race([once(reader, 'line'), ended])
    proxy[fault]()
    const began = performance.now()
    child.stdin.write('go\n')
    t.strictSame(await ended, [0, null])
    t.ok(performance.now() - began < LIMIT_MS, `in ${Math.round(performance.now() - began)} ms`)
    // A server that is silent is waited for, here and there as long.
    const barrier = fault === 'part' ? 'CHAIN_CLOSED' : 'TIMED_OUT'
    const ends = { commit: 'CHAIN_CLOSED', lock: 'CHAIN_CLOSED', barrier, load: 'CHAIN_CLOSED', change: 'CHAIN_CLOSED' }
    t.strictSame(lines, ['open', ...Object.entries(ends).map(([call, code]) => `${call} ${code}`)])
  })
