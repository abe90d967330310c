/** The tests' own C programs, compiled once for a test file into a directory that every user can reach. */
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { projectRoot } from './source-files.js'

const compiled = new Map<string, string>()

/** The path of the program made from test/e2e/programs/NAME.c. */
export function compiledProgram(name: string): string {
  const known = compiled.get(name)
  if (known !== undefined) return known
  const directory = mkdtempSync(join(tmpdir(), 'atefs-program-'))
  chmodSync(directory, 0o755)
  t.teardown(() => rmSync(directory, { recursive: true }))
  const program = join(directory, name)
  const source = join(projectRoot, 'test/e2e/programs', `${name}.c`)
  const { status, stderr } = spawnSync('cc', ['-O1', '-Wall', '-Werror', '-o', program, source], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`cc ${source}: ${stderr}`)
  compiled.set(name, program)
  return program
}
