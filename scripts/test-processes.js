/**
 * Which test files run in which process. A process costs more than most files: Node, tap, and the modules of the engine that
 * are loaded and made fast anew. So those that only compute share processes; whatever mounts, kills, measures or counts what its
 * process holds has one of its own.
 */
import { readdirSync, statSync } from 'node:fs'
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
const SHARED = ['fs/vfs', 'engine', 'sync', 'wire', 'cli', 'house', 'server']
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
  return FOLDERS.flatMap((folder) => {
    const files = filesBelow(join('test', folder))
    const size = SHARED.includes(folder) ? FILES_OF_A_PROCESS : 1
    return Array.from({ length: Math.ceil(files.length / size) }, (_, at) => files.slice(at * size, (at + 1) * size))
  })
}
