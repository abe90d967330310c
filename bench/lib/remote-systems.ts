// A chain of a server on this machine, mounted beside a local one and beside sshfs; and the servers they need.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, rmdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { run, waitFor } from './command.js'
import { ATEFS, atefsWith, profileTo, type System } from './systems.js'

export interface RemoteSystems {
  readonly systems: readonly System[]
  /** Two mounts of one chain, in a recovery mode. */
  pair(mode: string): [System, System]
  end(): Promise<void>
}

/** Starts `atedb` and an sshd on loopback, each with its files below `root`. `core`: both run there. */
export async function startRemoteSystems(
  root: string,
  core: number | undefined,
  profileDir: string | undefined,
): Promise<RemoteSystems> {
  const atedb = await startAtedb(join(root, 'atedb'), core, profileDir)
  const ssh = await startSshd(join(root, 'sshd'), core).catch(async (error: unknown) => {
    await endOf(atedb.child)
    throw error
  })
  const local = atefsWith('passphrase')
  const remote = (name: string, mode: string, chain = name): System => ({
    ...local,
    name,
    isServed: true,
    mount: (place) => {
      const where = ['--log-path', place.data, '-r', atedb.url, '--recovery-mode', mode, '--server-key', atedb.key]
      const words = [ATEFS, 'mount', '--foreground', place.mountpoint, chain, ...where, '--passfile', place.passfile]
      return { command: [process.execPath, ...profileTo(place.profileDir), ...words] }
    },
  })
  return {
    systems: [local, remote('remote', 'readonly-async'), remote('sync', 'sync'), sshfs(ssh)],
    pair: (mode) => [remote(`${mode}-one`, mode, `pair-${mode}`), remote(`${mode}-other`, mode, `pair-${mode}`)],
    end: async () => {
      await endOf(atedb.child)
      await endOf(ssh.child)
      await ssh.clear()
    },
  }
}

interface Sshd {
  readonly child: ChildProcess
  readonly directory: string
  readonly port: number
  readonly clear: () => Promise<void>
}

function sshfs({ directory, port }: Sshd): System {
  const options = [
    `port=${port}`,
    `IdentityFile=${join(directory, 'user')}`,
    'StrictHostKeyChecking=no',
    `UserKnownHostsFile=${join(directory, 'known_hosts')}`,
  ]
  return {
    name: 'sshfs',
    isPeer: true,
    isAvailable: () => true,
    version: async () => (await run('sshfs', ['--version'])).split('\n')[0] ?? '',
    create: () => Promise.resolve(),
    mount: ({ data, mountpoint }) => ({
      command: ['sshfs', '-f', ...options.flatMap((option) => ['-o', option]), `127.0.0.1:${data}`, mountpoint],
    }),
  }
}

/** With keys, configuration and everything else in a directory of its own. */
async function startSshd(directory: string, core: number | undefined): Promise<Sshd> {
  await mkdir(directory, { mode: 0o700 })
  for (const key of ['host', 'user'])
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(directory, key)])
  await run('cp', [join(directory, 'user.pub'), join(directory, 'authorized_keys')])
  await chmod(join(directory, 'authorized_keys'), 0o600)
  const port = await freePort()
  const lines = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${join(directory, 'host')}`,
    `AuthorizedKeysFile ${join(directory, 'authorized_keys')}`,
    'PidFile none',
    'UsePAM no',
    'StrictModes no',
    'PermitRootLogin prohibit-password',
    'Subsystem sftp internal-sftp',
  ]
  const config = join(directory, 'config')
  await writeFile(config, `${lines.join('\n')}\n`)
  // It wants this one to be there, empty.
  const isMade = await mkdir('/run/sshd', { mode: 0o755 }).then(
    () => true,
    () => false,
  )
  const child = start(['/usr/sbin/sshd', '-D', '-e', '-f', config], core)
  await waitFor('sshd', () => listens(port), child)
  const clear = async (): Promise<void> => {
    if (isMade) await rmdir('/run/sshd')
  }
  return { child, directory, port, clear }
}

async function startAtedb(
  logs: string,
  core: number | undefined,
  profileDir: string | undefined,
): Promise<{ child: ChildProcess; url: string; key: string }> {
  const program = [process.execPath, ...profileTo(profileDir), join(ATEFS, '../atedb.js')]
  const words = ['--no-auth', 'solo', logs, '--json', '-l', '127.0.0.1', '-p', '0', '-t', 'centralized']
  const child = start([...program, ...words], core)
  let text = ''
  child.stdout?.setEncoding('utf8').on('data', (part: string) => (text += part))
  await waitFor('atedb', () => Promise.resolve(text.trimEnd().endsWith('}')), child)
  // Its own words: `atedb solo --json`.
  const { listening, serverKey } = JSON.parse(text) as { listening: string; serverKey: string }
  return { child, url: `ws://${listening}/db`, key: serverKey }
}

function start(words: readonly string[], core: number | undefined): ChildProcess {
  const [program = '', ...rest] = core === undefined ? words : ['taskset', '-c', String(core), ...words]
  return spawn(program, rest, { stdio: ['ignore', 'pipe', 'ignore'] })
}

async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

async function listens(port: number): Promise<boolean> {
  return run('ssh-keyscan', ['-p', String(port), '127.0.0.1']).then(
    (keys) => keys.includes('ed25519'),
    () => false,
  )
}
