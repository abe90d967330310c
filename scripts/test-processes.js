/**
 * Which test files run in which process. A process costs more than most files: Node, tap, and the modules of the engine that
 * are loaded and made fast anew. So those that only compute share processes; whatever mounts, kills, measures or counts what its
 * process holds has one of its own.
 */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const FOLDERS = [
  'e2e',
  'client',
  'commands',
  'library',
  'atedb',
  'fuzz',
  'server',
  'adapters',
  'fs/daemon',
  'fs/drivers',
  'cli',
  'house',
  'fs/vfs',
  'engine',
  'sync',
  'wire',
]
const SHARED = ['library', 'fs/vfs', 'engine', 'sync', 'wire', 'cli', 'house', 'server']
/** Of folders that are shared: they start programs, mount, or wait. */
const ALONE = [
  'library/api-reference.ts',
  'library/browser.ts',
  'library/examples.ts',
  'library/exit.ts',
  'library/guide.ts',
  'library/lazy.ts',
  'library/nodes.ts',
  'library/opening.ts',
  'library/package.ts',
  'library/remote-exit.ts',
  'library/restore-killed.ts',
  'library/time.ts',
  'library/wire-options.ts',
  'server/full-disk.ts',
  'engine/log/copy-rests.ts',
].map((file) => join('test', file))
const FILES_OF_A_PROCESS = 16

/** @param {string} folder @returns {string[]} */
function filesBelow(folder) {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  const tests = names.filter((name) => name.endsWith('.ts')).toSorted()
  return tests.map((name) => join(folder, name))
}

/** @param {string[]} places files and folders @returns {string[][]} each file by itself */
export function testsIn(places) {
  const files = places.flatMap((place) => (statSync(place).isDirectory() ? filesBelow(place) : [place]))
  return files.map((file) => [file])
}

/** All tests. Those that wait come first, and those that compute last: then no core is idle at the end. @returns {string[][]} */
export function allTests() {
  for (const file of ALONE) if (!existsSync(file)) throw new Error(`There is no ${file}.`)
  return FOLDERS.flatMap((folder) => {
    const files = filesBelow(join('test', folder))
    const shared = SHARED.includes(folder) ? files.filter((file) => !ALONE.includes(file)) : []
    const alone = files.filter((file) => !shared.includes(file))
    const count = Math.ceil(shared.length / FILES_OF_A_PROCESS)
    const processes = Array.from({ length: count }, (_, at) =>
      shared.slice(at * FILES_OF_A_PROCESS, (at + 1) * FILES_OF_A_PROCESS),
    )
    return [...alone.map((file) => [file]), ...processes]
  })
}
