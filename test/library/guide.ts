/**
 * What docs/guide.md shows is a program for each of its chapters: it is what strict TypeScript takes, and prints what it
 * says. So does the block of README.md. The table of errors has every code that the library can end in, and no other.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build, transform } from 'esbuild'
import t from 'tap'
import { ERROR_CODES } from '../../src/engine/error.js'
import { startAtedb } from '../helpers/atedb-server.js'
import { cliWorld } from '../helpers/cli.js'
import { projectRoot } from '../helpers/source-files.js'

const guide = readFileSync(join(projectRoot, 'docs/guide.md'), 'utf8')
const readme = readFileSync(join(projectRoot, 'README.md'), 'utf8')

interface Chapter {
  title: string
  program: string
  prints: string[]
}

function codeBlocks(text: string): string[] {
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, block = '']) => block)
}

/** The chapters of a page that have code, each as one program. */
function chaptersOf(page: string): Chapter[] {
  return page
    .split(/^## /m)
    .slice(1)
    .map((text) => {
      const program = codeBlocks(text).join('\n')
      const prints = [...program.matchAll(/\/\/ prints: (.*)$/gm)].map(([, line = '']) => line)
      return { title: text.slice(0, text.indexOf('\n')), program, prints }
    })
    .filter(({ program }) => program !== '')
}

/** Of the server that the programs of chains at a server find. */
let serverUrl = ''

function run(directory: string, ...words: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, words, {
    cwd: directory,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '', SERVER: serverUrl, XDG_STATE_HOME: join(directory, 'state') },
    timeout: 120_000,
  })
  return { status, output: stdout + stderr }
}

/** A project that has the package as it was built, and the programs as chapter1.ts and so on. */
function projectWith(directory: string, chapters: readonly Chapter[]): void {
  mkdirSync(join(directory, 'node_modules/@types'), { recursive: true })
  symlinkSync(projectRoot, join(directory, 'node_modules/atefs'))
  symlinkSync(join(projectRoot, 'node_modules/@types/node'), join(directory, 'node_modules/@types/node'))
  const compilerOptions = { target: 'ES2022', module: 'NodeNext', strict: true, noUnusedLocals: true, noEmit: true }
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ type: 'module' }))
  writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions }))
  chapters.forEach(({ program }, i) => writeFileSync(join(directory, `chapter${i + 1}.ts`), program))
}

/** Runs the programs one after another; returns what each prints. */
async function outputs(directory: string, chapters: readonly Chapter[]): Promise<string[][]> {
  const mark = '--- end of a chapter'
  for (const [i, { program }] of chapters.entries()) {
    const { code } = await transform(program, { loader: 'ts', target: 'node20', format: 'esm' })
    writeFileSync(join(directory, `chapter${i + 1}.js`), code)
  }
  const runs = chapters.map((_, i) => `await import('./chapter${i + 1}.js')\nconsole.log('${mark}')\n`)
  writeFileSync(join(directory, 'all.js'), runs.join(''))
  const { output } = run(directory, 'all.js')
  return output.split(`${mark}\n`).map((text) => text.split('\n').filter((line) => line !== ''))
}

await t.test(
  'every program of the guide and of the README is strict TypeScript, and prints what it says',
  async (t) => {
    const chapters = [...chaptersOf(guide), ...chaptersOf(readme)]
    t.ok(chapters.length >= 12, `${chapters.length} chapters have code`)
    const directory = t.testdir()
    projectWith(directory, chapters)
    const server = await startAtedb(t, cliWorld(t), ['--no-auth', '-l', '127.0.0.1'])
    serverUrl = `ws://${server.started.listening}/db`
    t.strictSame(run(directory, join(projectRoot, 'node_modules/typescript/bin/tsc'), '-p', '.'), {
      status: 0,
      output: '',
    })
    const printed = await outputs(directory, chapters)
    for (const [i, { title, prints }] of chapters.entries()) t.strictSame(printed[i], prints, title)
    t.strictSame(printed[chapters.length], [], 'and nothing goes wrong after the last')
  },
)

t.test('no code in the guide is left out of that', (t) => {
  const fences = [...guide.matchAll(/^ *```.*$/gm)].map(([fence]) => fence)
  t.strictSame([...new Set(fences)].sort(), ['```', '```ts'])
  const blocks = fences.filter((fence) => fence === '```ts').length
  const programs = chaptersOf(guide).map(({ program }) => program)
  const run = codeBlocks(guide).filter((block) => programs.some((program) => program.includes(block)))
  t.equal(run.length, blocks)
  t.notMatch(guide.replaceAll(/^```ts$.*?^```$/gms, ''), /^ {4}/m, 'no code that is marked by its indentation only')
  t.end()
})

t.test('the table of errors has every code that the library can throw, and no other', async (t) => {
  const { outputFiles } = await build({
    entryPoints: ['src/index.ts', 'src/adapters/node/commit-worker.ts'].map((path) => join(projectRoot, path)),
    bundle: true,
    // What nothing calls is not in the bundle.
    treeShaking: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    outdir: 'unwritten',
    write: false,
  })
  const text = outputFiles.map(({ text }) => text.replace(/ERROR_CODES = \[[^\]]*\]/, '')).join('\n')
  const thrown = ERROR_CODES.filter((code) => text.includes(`"${code}"`))
  const table = guide.slice(guide.indexOf('## Errors'), guide.indexOf('## What is not there yet'))
  const rows = [...table.matchAll(/^\| `([A-Z_]+)` +\| (\S.*?) +\| (\S.*?) +\|$/gm)].map(([, code]) => code)
  t.strictSame([...rows].sort(), [...thrown].sort())
})
