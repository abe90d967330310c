/**
 * Runs other programs, as the tests' own or another user, never without a limit of time. A mount that hangs must fail a
 * test, not stop the run: nothing here waits synchronously.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import type { User } from './user.js'

const DEFAULT_TIMEOUT_MS = 120_000

export interface ProgramOptions {
  user: User
  /** The whole environment. */
  environment: Record<string, string>
  directory?: string
  /** Standard input; empty unless given. */
  input?: string | Uint8Array
  timeoutMs?: number
}

export interface ProgramResult {
  /** Undefined when a signal ended it. */
  code: number | undefined
  stdout: Buffer
  stderr: string
  timedOut: boolean
}

/**
 * Starts a program in a process group of its own, so that what it starts ends with it. `env -i` gives it the environment
 * asked for and nothing else: tap adds its own loader to the environment of whatever a test starts. It also changes the
 * directory last: root may not enter another user's mount, so the identity must come first.
 */
export function start(program: string, args: readonly string[], options: ProgramOptions): ChildProcess {
  const { user, environment, directory = '/' } = options
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`)
  const words = ['env', '-i', `--chdir=${directory}`, ...variables, program, ...args]
  const identity = ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups']
  const [first = 'env', ...rest] = process.getuid?.() === user.uid ? words : [...identity, ...words]
  return spawn(first, rest, { cwd: '/', detached: true, stdio: 'pipe' })
}

/** Ends a started program and all that it started. */
export function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}

/** Runs a program to its end, or kills it at the limit of time. */
export async function run(program: string, args: readonly string[], options: ProgramOptions): Promise<ProgramResult> {
  const child = start(program, args, options)
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout?.on('data', (bytes: Buffer) => stdout.push(bytes))
  child.stderr?.on('data', (bytes: Buffer) => stderr.push(bytes))
  child.stdin?.on('error', () => undefined).end(options.input ?? '')
  let timedOut = false
  const timer = setTimeout(() => {
    timedOut = true
    killGroup(child)
  }, options.timeoutMs ?? DEFAULT_TIMEOUT_MS)
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', resolve)
    })
    const text = Buffer.concat(stderr).toString('utf8')
    return { code: code ?? undefined, stdout: Buffer.concat(stdout), stderr: text, timedOut }
  } finally {
    clearTimeout(timer)
  }
}
