/** The package as somebody else's project gets it: packed, installed, imported by its name. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import t from 'tap'
import { projectRoot } from '../helpers/source-files.js'

const PROGRAM = `
import { AteConfig, ChainBuilder, dataType, isAteError, plain } from 'atefs'

const World = dataType('World', plain())
const chain = await new ChainBuilder(AteConfig.default()).open('universe')
try {
  const { key } = await chain.transact((dio) => dio.store({ commandment: 'Hello' }, { type: World }))
  console.log((await chain.dio().load(World, key)).commandment + ' world!')
  await chain.dio().load(dataType('Moon', plain()), key)
} catch (error) {
  console.log(isAteError(error) && error.code)
} finally {
  await chain.close()
}
`

const TYPED_PROGRAM = `
import { AteConfig, type Chain, ChainBuilder, type Dao, dataType, type ObjectKey, plain, vecOf } from 'atefs'

const Moon = dataType('Moon', plain<{ name: string }>())
const World = dataType('World', plain<{ commandment: string }>(), { links: { moons: vecOf(Moon) } })

export async function hello(): Promise<string> {
  await using chain: Chain = await new ChainBuilder(AteConfig.default()).open('universe')
  const key: ObjectKey = await chain.transact((dio) => dio.store({ commandment: 'Hello' }, { type: World }).key)
  const world: Dao<typeof World> = await chain.dio().load(World, key)
  for await (const { name } of world.moons) console.log(name.toUpperCase())
  return world.commandment
}
`
const WRONG_PROGRAM = `
import { dataType, plain, type Dao } from 'atefs'
const World = dataType('World', plain<{ commandment: string }>())
export const length = (world: Dao<typeof World>): number => world.commandments.length
`

const OTHER_ENTRIES = `
import { ChainBuilder as Anywhere, errorCode } from 'atefs'
import { AteConfig, type Chain, ChainBuilder, dataType, plain } from 'atefs/browser'
import { BoxKey, fromHex, seal, sealFor, SigningKey, toHex, unseal, verify } from 'atefs/crypto'

const World = dataType('World', plain<{ commandment: string }>(), { index: ['commandment'] })
const key = fromHex('00'.repeat(32))
const hello: string = toHex(unseal(key, seal(key, new Uint8Array([1, 2]))))
const [signer, owner] = [SigningKey.generate(), BoxKey.generate()]
const box: Uint8Array = owner.unseal(sealFor(owner.publicKey, key))
const chain: Chain = await new ChainBuilder(AteConfig.default()).open('universe')
await chain.transact((dio) => dio.store({ commandment: hello }, { type: World }))
for await (const { commandment } of chain.dio().find(World, 'commandment', '0102')) console.log(commandment, box.length)
console.log(verify(signer.publicKey, box, signer.sign(box)))
await chain.close()
await new Anywhere(AteConfig.default()).open('a/b').catch((error: unknown) => console.log(errorCode(error)))
`

const CONFIGURATION = {
  compilerOptions: {
    target: 'ES2022',
    module: 'NodeNext',
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
  },
}

function run(directory: string, program: string, ...words: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(program, words, {
    cwd: directory,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  return { status, output: stdout + stderr }
}

/** A project that has nothing but the package, as `npm install` of the packed one leaves it. */
function freshProject(directory: string): string {
  const project = join(directory, 'project')
  const installed = join(project, 'node_modules/atefs')
  mkdirSync(installed, { recursive: true })
  // Without its scripts, which would build into the checkout that other tests are running from.
  const packed = run(projectRoot, 'npm', 'pack', '--ignore-scripts', '--silent', '--pack-destination', directory)
  if (packed.status !== 0) throw new Error(packed.output)
  const [archive] = readdirSync(directory).filter((name) => name.endsWith('.tgz'))
  const unpacked = run(directory, 'tar', '-xzf', archive ?? '', '-C', installed, '--strip-components=1')
  if (unpacked.status !== 0) throw new Error(unpacked.output)
  symlinkSync(join(projectRoot, 'node_modules'), join(installed, 'node_modules'))
  mkdirSync(join(project, 'node_modules/@types'))
  symlinkSync(join(projectRoot, 'node_modules/@types/node'), join(project, 'node_modules/@types/node'))
  const description = { name: 'fresh', private: true, type: 'module' }
  writeFileSync(join(project, 'package.json'), JSON.stringify(description))
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(CONFIGURATION))
  return project
}

t.test('a project of somebody else imports the packed package', async (t) => {
  const project = freshProject(t.testdir())
  const compiler = join(projectRoot, 'node_modules/typescript/bin/tsc')

  await t.test('in JavaScript', (t) => {
    writeFileSync(join(project, 'hello.js'), PROGRAM)
    t.strictSame(run(project, process.execPath, 'hello.js'), { status: 0, output: 'Hello world!\nWRONG_TYPE\n' })
    t.end()
  })

  await t.test('in strict TypeScript, declarations included', (t) => {
    writeFileSync(join(project, 'hello.ts'), TYPED_PROGRAM)
    writeFileSync(join(project, 'entries.ts'), OTHER_ENTRIES)
    writeFileSync(join(project, 'wrong.ts'), WRONG_PROGRAM)
    const { status, output } = run(project, process.execPath, compiler, '-p', '.', '--noEmit', 'false')
    t.not(status, 0)
    t.match(output, /^wrong\.ts.*TS2551.*'commandments'/, 'types are there, and are not any')
    t.strictSame(output.match(/error TS/g), ['error TS'], 'and nothing else is wrong')
    t.end()
  })

  await t.test('its other entries too, however modules are resolved', (t) => {
    rmSync(join(project, 'wrong.ts'))
    const words = ['--module', 'esnext', '--moduleResolution', 'bundler']
    t.strictSame(run(project, process.execPath, compiler, '-p', '.', ...words), { status: 0, output: '' })
    const output = '0102 32\ntrue\nBAD_ARGUMENT\n'
    t.strictSame(run(project, process.execPath, 'entries.js'), { status: 0, output })
    t.end()
  })

  await t.test('every entry says its types before anything else', (t) => {
    const { exports } = JSON.parse(readFileSync(join(project, 'node_modules/atefs/package.json'), 'utf8')) as {
      exports: Record<string, string | Record<string, string>>
    }
    t.strictSame(Object.keys(exports), ['.', './browser', './crypto', './package.json'])
    for (const conditions of Object.values(exports)) {
      if (typeof conditions === 'string') continue
      t.equal(Object.keys(conditions)[0], 'types')
      for (const path of Object.values(conditions)) t.ok(existsSync(join(project, 'node_modules/atefs', path)), path)
    }
    t.end()
  })

  await t.test('and nothing but what it exports', (t) => {
    writeFileSync(join(project, 'inside.js'), "import 'atefs/dist/engine/error.js'\n")
    t.match(run(project, process.execPath, 'inside.js').output, 'ERR_PACKAGE_PATH_NOT_EXPORTED')
    t.end()
  })

  await t.test('of which a bundle has only what it uses', async (t) => {
    const { metafile } = await build({
      stdin: { contents: "export { isAteError } from 'atefs'", resolveDir: project },
      bundle: true,
      platform: 'node',
      format: 'esm',
      write: false,
      metafile: true,
    })
    const used = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.entries(inputs))
    // Of a module that is loaded on demand too a call is left that does nothing.
    const files = used.filter(([, { bytesInOutput }]) => bytesInOutput > 20).map(([path]) => path)
    t.strictSame(
      files.map((path) => path.replace(/^.*\/dist\//, '')),
      ['engine/error.js'],
    )
  })
})
