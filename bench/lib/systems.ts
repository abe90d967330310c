// The file systems under test, each with the settings its makers recommend (the defaults), each as one foreground
// daemon started on the cores it may use, so that all its threads stay there.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run, waitFor } from './command.js'

export const ATEFS = fileURLToPath(new URL('../../bin/run.js', import.meta.url))
const PASSWORD = 'benchmark'

export interface Place {
  readonly data: string
  readonly mountpoint: string
  readonly passfile: string
  /** Directory for CPU profiles of atefs, or none. */
  readonly profileDir: string | undefined
}

export interface System {
  readonly name: string
  readonly isPeer: boolean
  /** Takes part in every second round only: it is far behind, and would be most of the time of a run. */
  readonly isSlow?: boolean
  isAvailable(): boolean
  version(): Promise<string>
  create(place: Place): Promise<void>
  /** The program to start in the foreground and what it reads; none for a plain directory. */
  mount(
    place: Place,
  ): { readonly command: readonly string[]; readonly input?: string; readonly env?: NodeJS.ProcessEnv } | undefined
}

const ext4: System = {
  name: 'ext4',
  isPeer: false,
  isAvailable: () => true,
  version: async () => (await run('sh', ['-c', 'mkfs.ext4 -V 2>&1'])).split('\n')[0] ?? '',
  create: () => Promise.resolve(),
  mount: () => undefined,
}

const gocryptfs: System = {
  name: 'gocryptfs',
  isPeer: true,
  isAvailable: () => existsSync('/usr/bin/gocryptfs'),
  version: async () => (await run('gocryptfs', ['--version'])).split(';')[0] ?? '',
  create: async (place) => {
    await run('gocryptfs', ['-q', '-init', '-passfile', place.passfile, place.data])
  },
  mount: (place) => ({
    command: ['gocryptfs', '-q', '-fg', '-passfile', place.passfile, place.data, place.mountpoint],
  }),
}

const securefs: System = {
  name: 'securefs',
  isPeer: true,
  isAvailable: () => existsSync('/usr/bin/securefs'),
  version: async () => `securefs ${await packageVersion('securefs')}`,
  create: async (place) => {
    await run('securefs', ['create', '--pass', PASSWORD, place.data])
  },
  mount: (place) => ({ command: ['securefs', 'mount', '--pass', PASSWORD, place.data, place.mountpoint] }),
}

const CRYFS_ENV = { CRYFS_FRONTEND: 'noninteractive', CRYFS_NO_UPDATE_CHECK: 'true' }

const cryfs: System = {
  name: 'cryfs',
  isPeer: true,
  isSlow: true,
  isAvailable: () => existsSync('/usr/bin/cryfs'),
  version: async () => (await run('cryfs', ['--version'], { env: CRYFS_ENV })).split('\n')[0] ?? '',
  create: () => Promise.resolve(), // the first mount creates it
  mount: (place) => ({
    command: ['cryfs', '-f', place.data, place.mountpoint],
    input: `${PASSWORD}\n`,
    env: { ...CRYFS_ENV, CRYFS_LOCAL_STATE_DIR: `${place.data}-state` },
  }),
}

/** atefs, with a passphrase or (no key derivation in the way of measuring a mount) without. */
export function atefsWith(authentication: 'passphrase' | 'none'): System {
  return {
    name: 'atefs',
    isPeer: false,
    isAvailable: () => existsSync(ATEFS),
    version: async () => {
      const commit = await run('git', ['rev-parse', '--short', 'HEAD'], { cwd: join(ATEFS, '../..') }).catch(() => '')
      return `atefs ${commit.trim()}`.trim()
    },
    create: () => Promise.resolve(), // the first mount creates it
    mount: (place) => {
      const profile = place.profileDir === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', place.profileDir]
      const key = authentication === 'none' ? ['--no-auth'] : ['--passfile', place.passfile]
      const args = ['mount', '-f', place.mountpoint, 'bench', '--log-path', place.data, ...key]
      return { command: [process.execPath, ...profile, ATEFS, ...args] }
    },
  }
}

export const SYSTEMS: readonly System[] = [ext4, gocryptfs, securefs, cryfs, atefsWith('passphrase')]

async function packageVersion(name: string): Promise<string> {
  return (await run('dpkg-query', ['-W', '-f', '${Version}', name]).catch(() => '')).trim()
}

/** A system that is running: its directory to work in and its daemon. */
export class Mounted {
  private constructor(
    readonly system: System,
    readonly place: Place,
    readonly child: ChildProcess | undefined,
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
    if (mount === undefined) return new Mounted(system, place, undefined, () => '')
    const command = core === undefined ? mount.command : ['taskset', '-c', String(core), ...mount.command]
    const [program = '', ...args] = command
    const child = spawn(program, args, { env: { ...process.env, ...mount.env }, stdio: ['pipe', 'pipe', 'pipe'] })
    let log = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (log = (log + text).slice(-4000)))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (log = (log + text).slice(-4000)))
    child.stdin.end(mount.input ?? '')
    await waitFor(`mount ${system.name}`, () => isMounted(mountpoint), child).catch((error: unknown) => {
      child.kill()
      throw new Error(`${String(error)}\n${log}`)
    })
    return new Mounted(system, place, child, () => log)
  }

  /** CPU time that all threads of the daemon have used, in nanoseconds; 0 for a plain directory. */
  async cpuNs(): Promise<number> {
    if (this.child?.pid === undefined) return 0
    const tasks = `/proc/${this.child.pid}/task`
    const read = async (task: string): Promise<number> =>
      Number((await readFile(`${tasks}/${task}/schedstat`, 'utf8').catch(() => '0')).split(' ')[0])
    return (await Promise.all((await readdir(tasks)).map(read))).reduce((sum, ns) => sum + ns, 0)
  }

  /** A field of the daemon's /proc/PID/status in bytes, for example RssAnon. */
  async memoryBytes(field: string): Promise<number> {
    if (this.child?.pid === undefined) return 0
    const status = await readFile(`/proc/${this.child.pid}/status`, 'utf8')
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? NaN) * 1024
  }

  /** Unmounts and waits until the daemon has written everything and ended. */
  async stop(): Promise<void> {
    const { child } = this
    if (child === undefined) return
    const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : Promise.resolve()
    if (await isMounted(this.directory)) await run('umount', [this.directory])
    await Promise.race([
      ended,
      new Promise((_, reject) =>
        setTimeout(() => reject(new Error(`${this.system.name} does not end`)), 60_000).unref(),
      ),
    ]).catch((error: unknown) => {
      child.kill('SIGKILL')
      throw error
    })
  }
}

async function isMounted(directory: string): Promise<boolean> {
  return (await readFile('/proc/mounts', 'utf8')).includes(` ${directory} fuse`)
}
