// Runs the programs a benchmark needs. All asynchronous: the harness never blocks on a mount.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'

export interface CommandOptions {
  readonly input?: string
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  /** The program is killed after this time. */
  readonly timeoutMs?: number
}

/** Standard output of a program that must succeed. */
export async function run(program: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: options.timeoutMs ?? 300_000,
    killSignal: 'SIGKILL',
  })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  child.stdin.on('error', () => undefined) // a program that reads no input closes it
  child.stdin.end(options.input ?? '')
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} failed (${code}): ${(err || out).trim().slice(-2000)}`)
  return out
}

/** True when the program is there. */
export async function isInstalled(program: string): Promise<boolean> {
  return run('sh', ['-c', `command -v ${program}`]).then(
    () => true,
    () => false,
  )
}

/** Waits until `condition` holds, or fails after `timeoutMs`, or as soon as `child` has ended. */
export async function waitFor(
  what: string,
  condition: () => Promise<boolean>,
  child?: ChildProcess,
  timeoutMs = 60_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!(await condition())) {
    if (child !== undefined && child.exitCode !== null)
      throw new Error(`${what}: the program ended (${child.exitCode})`)
    if (Date.now() > deadline) throw new Error(`${what}: not after ${timeoutMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
