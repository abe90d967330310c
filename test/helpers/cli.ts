/**
 * Runs the program as a user would, in a world of its own: home, state and runtime directories below one temporary
 * directory. `ATEFS_PACKAGE` names another build of it.
 */
import { execFile, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** The built program: bin/ and dist/. */
const PACKAGE = process.env['ATEFS_PACKAGE'] ?? fileURLToPath(new URL('../..', import.meta.url))
export const BIN = join(PACKAGE, 'bin/run.js')
export const BUILT = join(PACKAGE, 'dist')

export interface CliResult {
  code: number | null
  stdout: string
  stderr: string
  /** Standard output as JSON. */
  json(): Record<string, unknown>
}

export interface CliWorld {
  directory: string
  environment: Record<string, string>
  /** A path below the directory. */
  path(...names: string[]): string
  /** Runs `atefs ARGS` to its end. Standard input is `input`, else empty. */
  run(args: readonly string[], options?: { input?: string; environment?: Record<string, string> }): Promise<CliResult>
  /** Unmounts what is left below the directory, ends nothing else, and removes it. */
  remove(): Promise<void>
}

/** A world that is removed when the test ends. */
export function cliWorld(t: { teardown(action: () => Promise<void>): void }): CliWorld {
  const world = makeCliWorld()
  t.teardown(() => world.remove())
  return world
}

/**
 * A line of shell, in a process of its own: the tests' process never touches a mount, which could hang it. Rejects when it
 * fails or takes too long.
 */
export async function shell(line: string, timeout = 30_000): Promise<string> {
  const { stdout } = await promisify(execFile)('/bin/sh', ['-euc', line], { timeout, killSignal: 'SIGKILL' })
  return stdout
}

/** Not tap's testdir: sockets and mountpoints want short paths, and a mount must not be walked into when cleaning up. */
export function makeCliWorld(): CliWorld {
  const directory = mkdtempSync(join(tmpdir(), 'atefs-cli-'))
  const runtime = join(directory, 'run')
  mkdirSync(runtime, { mode: 0o700 })
  const environment = {
    PATH: process.env['PATH'] ?? '',
    HOME: directory,
    XDG_DATA_HOME: join(directory, 'data'),
    XDG_STATE_HOME: join(directory, 'state'),
    XDG_RUNTIME_DIR: runtime,
    TMPDIR: directory,
    NODE_ENV: 'production',
    NODE_OPTIONS: `--import=${fileURLToPath(new URL('cheap-passphrases.js', import.meta.url))}`,
    ...testRun(),
  }
  const run: CliWorld['run'] = (args, options = {}) =>
    runProgram(process.execPath, [BIN, ...args], { ...environment, ...options.environment }, options.input)
  return {
    directory,
    environment,
    path: (...names) => join(directory, ...names),
    run,
    async remove() {
      for (const mountpoint of mountpointsBelow(directory)) await run(['umount', mountpoint])
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** How the test runner recognises processes that a test left behind. */
function testRun(): Record<string, string> {
  const run = process.env['ATEFS_TEST_RUN']
  return run === undefined ? {} : { ATEFS_TEST_RUN: run }
}

/** Mounts that a test left below a directory, the newest first. */
export function mountpointsBelow(directory: string): string[] {
  const table = readFileSync('/proc/self/mounts', 'utf8').split('\n')
  return table
    .flatMap((line) => line.split(' ')[1] ?? [])
    .filter((path) => path.startsWith(`${directory}/`))
    .reverse()
}

export function runProgram(
  program: string,
  args: readonly string[],
  environment: Record<string, string>,
  input = '',
): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    // tap adds a loader of its own to the environment of whatever a test starts: `env -i` gives ours and nothing else.
    const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`)
    const child = spawn('env', ['-i', ...variables, program, ...args], { stdio: 'pipe' })
    const output = { stdout: '', stderr: '' }
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text))
    child.stdin.on('error', () => undefined).end(input)
    child.on('error', reject)
    child.on('close', (code) => {
      const json = (): Record<string, unknown> => JSON.parse(output.stdout) as Record<string, unknown>
      resolve({ code, ...output, json })
    })
  })
}
