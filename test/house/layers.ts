/**
 * Imports point down only. The table says, for each module, what it may import; whatever it does not say is refused.
 * A module is a folder or a file of src/; the longest name that fits a file is the file's module.
 */
import { posix } from 'node:path'
import t from 'tap'
import ts from 'typescript'
import { filesBelow } from '../helpers/source-files.js'

const base = ['engine/error', 'engine/limits', 'engine/run-steps', 'engine/after', 'engine/bytes']
/** What the chain is to everything above it: its types, and the class that keeps it. */
const engine = [
  ...base,
  'engine/codec',
  'engine/crypto',
  'engine/keyring',
  'engine/log',
  'engine/index',
  'engine/chain',
]

const MAY_IMPORT: Record<string, readonly string[]> = {
  'engine/error': [],
  'engine/limits': [],
  'engine/run-steps': [],
  'engine/after': [],
  'engine/bytes': ['engine/error', 'engine/limits'],
  'engine/codec': [...base, 'msgpackr'],
  'engine/crypto': [...base, '@noble/', 'hash-wasm'],
  'engine/keyring': [...base, 'engine/codec', 'engine/crypto'],
  'engine/log': [...base, 'engine/codec', 'engine/crypto'],
  'engine/index': [...base, 'engine/codec', 'engine/crypto', 'engine/log'],
  'engine/chain': [...engine, 'lru-cache'],
  'engine/transaction': engine,
  'engine/trust': [...base, 'engine/crypto'],
  'engine/dio': [...engine, 'engine/transaction', 'engine/trust'],
  wire: [...base, 'engine/codec', 'engine/crypto'],
  sync: [...engine, 'wire'],
  server: [...engine, 'sync', 'wire'],
  client: [...engine, 'sync', 'wire', 'lru-cache'],
  'adapters/node': [...engine, 'sync', 'client', 'wire', 'node:', 'lmdb'],
  'adapters/node/server-stores': ['adapters/node', ...engine, 'server/chain-stores', 'server/file-names', 'node:'],
  'adapters/browser': ['engine/error', 'wire'],
  'adapters/node/dns': ['engine/error', 'adapters/node/connect-datagrams', 'wire', 'dns-packet', 'node:'],
  'adapters/node/web-socket': ['engine/error', 'wire', 'ws', 'node:'],
  'adapters/node/libc': ['engine/error', 'koffi', 'node:'],
  'fs/errno': ['engine/error'],
  'fs/vfs': [...engine, 'fs/errno', 'lru-cache'],
  'fs/drivers/driver': ['fs/vfs/types'],
  'fs/drivers/direct': [
    'engine/error',
    'engine/bytes',
    'fs/vfs/types',
    'fs/errno',
    'fs/drivers/driver',
    'adapters/node',
    'node:',
  ],
  'fs/drivers/fuse-native': [
    'engine/error',
    'fs/vfs/types',
    'fs/errno',
    'fs/drivers/driver',
    // Unmounting is the same, whoever serves.
    'fs/drivers/direct/mount/detach',
    // Its types only; `binding` alone loads it.
    'fuse-native',
    'node:',
  ],
  'fs/drivers/fuse-native/binding': [
    'engine/error',
    'adapters/node/libc',
    'fs/drivers/fuse-native',
    'fuse-native',
    'node:',
  ],
  'fs/drivers': ['engine/error', 'fs/drivers', 'fs/vfs/types', 'adapters/node', 'node:'],
  // Whatever a chain holds: what mounts and commands load by name.
  'fs/daemon/judge': [...engine, 'engine/dio', 'fs/vfs'],
  'fs/daemon': [
    ...engine,
    'engine/dio/hybrid-clock',
    'engine/dio/wall-clock',
    'client',
    'wire',
    'library/redirected',
    'library/served-copy',
    'library/server-link',
    'fs',
    'adapters/node',
    'node:',
  ],
  library: [...engine, 'engine/dio', 'engine/trust', 'sync', 'client', 'wire', 'adapters/node', 'node:'],
  crypto: [...base, 'engine/crypto', 'engine/trust', '@noble/'],
  objects: ['engine/chain', 'engine/dio', 'engine/error', 'engine/log', 'engine/trust', 'library'],
  index: ['objects', 'library'],
  // Nothing of Node: `test/library/browser.ts` has the proof.
  browser: [
    'objects',
    ...engine,
    'engine/dio',
    'library/config',
    'library/memory-keeping',
    'library/with-plugins',
    'library/with-root-keys',
  ],
  atedb: [...engine, 'wire', 'sync', 'server', 'adapters/node', 'node:'],
  cli: [
    ...engine,
    'engine/dio',
    'engine/transaction',
    'engine/trust',
    'wire',
    'sync',
    'library/server-dialer',
    'client',
    'library/replica-places',
    // Objects of a chain at a server are compacted as by any program.
    'library/chain-builder',
    'library/config',
    'adapters/node',
    'fs',
    'atedb',
    '@oclif/core',
    'node:',
  ],
  commands: [...engine, 'sync', 'adapters/node', 'fs', 'atedb', 'cli', '@oclif/core', 'node:'],
}

/** True when `name` is `module`, or lies in it; `module` ending in / or : is a prefix of package names. */
function isWithin(name: string, module: string): boolean {
  return name === module || name.startsWith(/[/:]$/.test(module) ? module : `${module}/`)
}

function moduleOf(name: string): string | undefined {
  const fitting = Object.keys(MAY_IMPORT).filter((module) => isWithin(name, module))
  return fitting.sort((a, b) => b.length - a.length)[0]
}

/** What a file imports: names of files in src/ without extension, or names of packages. */
function importsOf(path: string, text: string): string[] {
  const { importedFiles } = ts.preProcessFile(text, true, true)
  return importedFiles.map(({ fileName }) =>
    fileName.startsWith('.')
      ? posix
          .join(posix.dirname(path), fileName)
          .replace(/^src\//, '')
          .replace(/\.js$/, '')
      : fileName,
  )
}

t.test('a module imports only what the table allows', (t) => {
  for (const { path, text } of filesBelow('src', '.ts')) {
    const name = path.replace(/^src\//, '').replace(/\.ts$/, '')
    const module = moduleOf(name)
    if (module === undefined) {
      t.fail(`${path} belongs to no module of the table in test/house/layers.ts`)
      continue
    }
    const allowed = [module, ...(MAY_IMPORT[module] ?? [])]
    const refused = importsOf(path, text).filter((wanted) => !allowed.some((rule) => isWithin(wanted, rule)))
    t.strictSame(refused, [], `${path} is in ${module}, which may not import ${refused.join(', ')}`)
  }
  t.end()
})

/** Files that reach each other through their imports, types included. What remains is to be untangled, and nothing is to come. */
const KNOWN_CIRCLES = [/^src\/fs\/drivers\/direct\//]

t.test('no files import each other in a circle', (t) => {
  const files = filesBelow('src', '.ts')
  const paths = new Set(files.map(({ path }) => path))
  const imports = new Map(
    files.map(({ path, text }) => [
      path,
      importsOf(path, text)
        .map((name) => `src/${name}.ts`)
        .filter((name) => paths.has(name)),
    ]),
  )
  const circles = circlesOf(imports).filter(
    (circle) => !KNOWN_CIRCLES.some((one) => circle.every((file) => one.test(file))),
  )
  t.strictSame(circles, [])
  const small = new Map([
    ['a', ['b', 'd']],
    ['b', ['c']],
    ['c', ['b']],
    ['d', []],
  ])
  t.strictSame(circlesOf(small), [['b', 'c']], 'one is seen where it is')
  t.end()
})

/** The groups of files that all reach each other. */
function circlesOf(imports: ReadonlyMap<string, readonly string[]>): string[][] {
  const reach = (from: string): Set<string> => {
    const found = new Set<string>()
    const next = [...(imports.get(from) ?? [])]
    for (let file = next.pop(); file !== undefined; file = next.pop()) {
      if (found.has(file)) continue
      found.add(file)
      next.push(...(imports.get(file) ?? []))
    }
    return found
  }
  const reached = new Map([...imports.keys()].map((file) => [file, reach(file)]))
  const circles = [...imports.keys()]
    .filter((file) => reached.get(file)?.has(file))
    .map((file) =>
      [...imports.keys()].filter((other) => reached.get(file)?.has(other) && reached.get(other)?.has(file)),
    )
  return [...new Map(circles.map((circle) => [circle.join(), circle])).values()]
}

t.test('types, values and import() are all seen', (t) => {
  const text =
    "import type { A } from './a.js'\nexport * from '../b.js'\nconst c = await import('koffi')\nimport 'node:fs'"
  t.strictSame(importsOf('src/engine/log/x.ts', text), ['engine/log/a', 'engine/b', 'koffi', 'node:fs'])
  t.end()
})

t.test(
  'the environment, the exit and the console belong to the edge: the command line, and what opens chains for programs',
  (t) => {
    const forbidden = /\b(process\.(env|exit|exitCode|argv|stdout|stderr|stdin)|console\.\w+)\b/
    for (const { path, text } of filesBelow('src', '.ts')) {
      if (/^src\/(cli|commands|library)\//.test(path)) continue
      const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
      t.notOk(forbidden.exec(code)?.[0], `${path} must not use ${forbidden.exec(code)?.[0] ?? 'the process'}`)
    }
    t.end()
  },
)
