/**
 * The entries for browsers, bundled as a browser gets them, with nothing of Node in them; and run where nothing of
 * Node is to be had: only what ECMAScript and every browser have.
 */
import { spawnSync } from 'node:child_process'
import { build } from 'esbuild'
import t from 'tap'
import { projectRoot } from '../helpers/source-files.js'

/** A program as one script; what it imports is the package as it was built. */
async function bundle(program: string): Promise<string> {
  const { errors, warnings, outputFiles } = await build({
    stdin: { contents: program, resolveDir: projectRoot, loader: 'ts' },
    // Not the one of this project, which leads to the source.
    tsconfigRaw: '{}',
    bundle: true,
    minify: true,
    platform: 'browser',
    format: 'iife',
    target: 'es2022',
    write: false,
    logLevel: 'silent',
  })
  t.strictSame(
    [...errors, ...warnings].map(({ text }) => text),
    [],
    'it is bundled without anything of Node',
  )
  return outputFiles.map(({ text }) => text).join('')
}

/** Runs a script where nothing of Node is to be had; returns what it reports. */
function runInBrowser(script: string): unknown {
  const hide = 'const process = undefined, Buffer = undefined, global = undefined, setImmediate = undefined;'
  const world = 'const report = (value) => console.log(JSON.stringify(value)), fail = (error) => { throw error };'
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module'], {
    input: `${hide}${world}${script}`,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
    timeout: 60_000,
  })
  t.equal(stderr, '')
  return JSON.parse(stdout)
}

const OBJECTS = `
import { AteConfig, ChainBuilder, dataType, errorCode, generateWriteKey, mapOf, plain, vecOf } from 'atefs/browser'
const Moon = dataType('Moon', plain<{ name: string; seen: Date }>(), { index: ['name'] })
const World = dataType('World', plain<{ commandment: string; map: Uint8Array }>(), { links: { moons: vecOf(Moon), towns: mapOf(Moon) } })
async function main() {
  const words: unknown[] = [typeof process, typeof Buffer]
  const chain = await new ChainBuilder(AteConfig.default().with({ rootKeys: [generateWriteKey()] })).open('universe').catch(errorCode)
  words.push(typeof chain)
  await using universe = await new ChainBuilder(AteConfig.default()).open('universe')
  const { key } = await universe.transact((dio) => {
    const world = dio.store({ commandment: 'Hello', map: new Uint8Array(200_000) }, { type: World })
    for (let i = 0; i < 1000; i++) world.moons.push({ name: 'moon ' + i, seen: new Date(i) })
    world.towns.set('Oslo', { name: 'a town', seen: new Date(0) })
    return world
  })
  const gone = await universe.transact((dio) => dio.store({ commandment: 'gone', map: new Uint8Array(300_000) }, { type: World }))
  await universe.transact((dio) => dio.delete(gone.key))
  await universe.rotate()
  words.push((await universe.compact()).bodies)
  const dio = universe.dio()
  const world = await dio.load(World, key)
  words.push(world.commandment, world.map.length, await world.moons.length(), (await world.towns.get('Oslo'))?.name)
  for await (const { seen } of dio.find(Moon, 'name', 'moon 77')) words.push(seen.getTime())
  const queue = await universe.queue('moons', Moon)
  await queue.send({ name: 'sent', seen: new Date(1) })
  const end = new AbortController()
  await queue.process(({ name }) => { words.push(name); end.abort() }, { signal: end.signal })
  await new ChainBuilder(AteConfig.default().with({ logPath: 'x' })).open('disk').catch((error) => words.push(errorCode(error)))
  await new ChainBuilder(AteConfig.default().with({ compactTimerMs: 1 })).open('timer').catch((error) => words.push(errorCode(error)))
  return words
}
main().then(report, fail)
`

await t.test('a chain is opened, and objects are stored, found and loaded', async (t) => {
  const words = runInBrowser(await bundle(OBJECTS))
  const nothing = ['undefined', 'undefined', 'object']
  t.strictSame(words, [...nothing, 5, 'Hello', 200_000, 1000, 'a town', 77, 'sent', 'NOT_SUPPORTED', 'NOT_SUPPORTED'])
})

const CRYPTO = `
import { BoxKey, generateKey, seal, sealFor, SigningKey, toHex, unseal, verify } from 'atefs/crypto'
const message = new TextEncoder().encode('hi')
const [key, signer, owner] = [generateKey(), SigningKey.generate(), BoxKey.generate()]
report([
  toHex(unseal(key, seal(key, message))),
  verify(signer.publicKey, message, signer.sign(message)),
  toHex(owner.unseal(sealFor(owner.publicKey, message))),
])
`

await t.test('so is what a program needs of cryptography', async (t) => {
  t.strictSame(runInBrowser(await bundle(CRYPTO)), ['6869', true, '6869'])
})

await t.test('a bundle has only what is used: of the cryptography one function', async (t) => {
  const sizes: Record<string, number> = { toHex: 1000, sha256: 8000, seal: 40_000, SigningKey: 90_000 }
  for (const [name, most] of Object.entries(sizes)) {
    const script = await bundle(`import { ${name} } from 'atefs/crypto'; report(${name})`)
    t.ok(script.length < most, `${name} is ${script.length} bytes, ${most} at most`)
  }
})
