// The file systems under test, each with the settings its makers recommend (the defaults).
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from './command.js'

export const ATEFS = fileURLToPath(new URL('../../bin/run.js', import.meta.url))
export const PASSWORD = 'benchmark'

export interface Place {
  readonly data: string
  readonly mountpoint: string
  readonly passfile: string
  /** Directory for CPU profiles of atefs, or none. */
  readonly profileDir: string | undefined
}

/**
 * A program that stays in the foreground. A daemon in a session of its own would be scheduled as a group of its own
 * (sched_autogroup), and slower than its peers on a machine that has other work.
 */
export interface MountCommand {
  readonly command: readonly string[]
  readonly input?: string
  readonly env?: NodeJS.ProcessEnv
}

export interface System {
  readonly name: string
  readonly isPeer: boolean
  /** Takes part in every second round only: it is far behind, and would be most of the time of a run. */
  readonly isSlow?: boolean
  /** A mount of atefs that brings what is changed to a server, and nobody waits for that. */
  readonly isServed?: boolean
  isAvailable(): boolean
  version(): Promise<string>
  create(place: Place): Promise<void>
  /** None for a plain directory. */
  mount(place: Place): MountCommand | undefined
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
      const key = authentication === 'none' ? ['--no-auth'] : ['--passfile', place.passfile]
      const args = ['mount', '--foreground', place.mountpoint, 'bench', '--log-path', place.data, ...key]
      return { command: [process.execPath, ...profileTo(place.profileDir), ATEFS, ...args] }
    },
  }
}

/** What tells Node to write CPU profiles there. */
export function profileTo(directory: string | undefined): string[] {
  return directory === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', directory]
}

export const SYSTEMS: readonly System[] = [ext4, gocryptfs, securefs, cryfs, atefsWith('passphrase')]

async function packageVersion(name: string): Promise<string> {
  return (await run('dpkg-query', ['-W', '-f', '${Version}', name]).catch(() => '')).trim()
}
