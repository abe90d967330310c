// A system that runs: started on the cores it may use, so that all its threads stay there; its CPU time and memory; its end.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run, waitFor } from './command.js'
import { ATEFS, PASSWORD, type Place, type System } from './systems.js'

/** A system that is running: its directory to work in and its daemon. */
export class Mounted {
  private constructor(
    readonly system: System,
    readonly place: Place,
    private readonly pid: number | undefined,
    private readonly unmount: () => Promise<void>,
    readonly log: () => string,
  ) {}

  get directory(): string {
    return this.place.mountpoint
  }

  /** Creates the store under `parent` unless it is there, and mounts it; `core` pins the daemon and all its threads. */
  static async start(system: System, parent: string, core: number | undefined, profileDir?: string): Promise<Mounted> {
    const data = join(parent, `${system.name}-data`)
    const mountpoint = join(parent, system.name)
    const passfile = join(parent, 'passfile')
    const place: Place = { data, mountpoint, passfile, profileDir }
    await mkdir(mountpoint, { recursive: true })
    if (!existsSync(data)) {
      await mkdir(data)
      await writeFile(passfile, `${PASSWORD}\n`, { mode: 0o600 })
      await system.create(place)
    }
    const mount = system.mount(place)
    if (mount === undefined) return new Mounted(system, place, undefined, nothing, () => '')
    const [program = '', ...args] =
      core === undefined ? mount.command : ['taskset', '-c', String(core), ...mount.command]
    const child = spawn(program, args, { env: { ...process.env, ...mount.env }, stdio: ['pipe', 'pipe', 'pipe'] })
    let log = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (log = (log + text).slice(-4000)))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (log = (log + text).slice(-4000)))
    child.stdin.end(mount.input ?? '')
    await waitFor(`mount ${system.name}`, () => isMounted(mountpoint), child).catch((error: unknown) => {
      child.kill()
      throw new Error(`${String(error)}\n${log}`)
    })
    const unmount = (): Promise<void> => end(child, mountpoint)
    return new Mounted(system, place, child.pid, unmount, () => log)
  }

  /** CPU time that all threads of the daemon have used, in nanoseconds; 0 for a plain directory. */
  async cpuNs(): Promise<number> {
    if (this.pid === undefined) return 0
    const tasks = `/proc/${this.pid}/task`
    const read = async (task: string): Promise<number> =>
      Number((await readFile(`${tasks}/${task}/schedstat`, 'utf8').catch(() => '0')).split(' ')[0])
    return (await Promise.all((await readdir(tasks)).map(read))).reduce((sum, ns) => sum + ns, 0)
  }

  /** Resolves when the server has everything that was changed, so that bringing it costs nobody else's time. At once without a server. */
  async brought(): Promise<void> {
    if (this.system.isServed !== true) return
    for (;;) {
      const status: unknown = JSON.parse(await run(process.execPath, [ATEFS, 'status', this.directory, '--json']))
      if (isBrought(status)) return
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  /** A field of the daemon's /proc/PID/status in bytes, for example RssAnon. */
  async memoryBytes(field: string): Promise<number> {
    if (this.pid === undefined) return 0
    const status = await readFile(`/proc/${this.pid}/status`, 'utf8')
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? NaN) * 1024
  }

  /** Unmounts and waits until the daemon has written everything. */
  stop(): Promise<void> {
    return this.unmount()
  }
}

async function end(child: ChildProcess, mountpoint: string): Promise<void> {
  const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : Promise.resolve()
  await unmountWhenFree(mountpoint)
  await Promise.race([
    ended,
    new Promise((_, reject) =>
      setTimeout(() => reject(new Error(`${mountpoint}: its daemon does not end`)), 60_000).unref(),
    ),
  ]).catch((error: unknown) => {
    child.kill('SIGKILL')
    throw error
  })
}

/** Who has just mounted may still be looking whether it works. */
async function unmountWhenFree(mountpoint: string): Promise<void> {
  for (let left = 50; await isMounted(mountpoint); left--) {
    try {
      await run('umount', [mountpoint])
    } catch (error) {
      if (left === 0) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

function isBrought(status: unknown): boolean {
  const { dirtyBytes, inFlightBytes, unsentBatches } = status as Readonly<Record<string, unknown>>
  return dirtyBytes === 0 && inFlightBytes === 0 && unsentBatches === 0
}

const nothing = (): Promise<void> => Promise.resolve()

async function isMounted(directory: string): Promise<boolean> {
  return (await readFile('/proc/mounts', 'utf8')).includes(` ${directory} fuse`)
}
