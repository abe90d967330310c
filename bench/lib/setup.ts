// What a benchmark needs from the machine: root (loop mounts, dropping caches) and the peers from the distribution.
import { existsSync } from 'node:fs'
import { isInstalled, run } from './command.js'

const PROGRAMS = {
  gocryptfs: 'gocryptfs',
  securefs: 'securefs',
  cryfs: 'cryfs',
  cc: 'gcc libc6-dev',
  git: 'git',
  taskset: 'util-linux',
}

export function requireRoot(): void {
  if (process.getuid?.() !== 0 || !existsSync('/dev/fuse')) {
    throw new Error('the benchmark needs root (loop mounts, dropping caches) and /dev/fuse')
  }
}

/** Installs missing programs with apt. */
export async function installPeers(): Promise<void> {
  const missing: string[] = []
  for (const [program, packages] of Object.entries(PROGRAMS)) {
    if (!(await isInstalled(program))) missing.push(...packages.split(' '))
  }
  if (missing.length === 0) return
  process.stderr.write(`installing ${missing.join(' ')}\n`)
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  await run('apt-get', ['update'], { env })
  await run('apt-get', ['install', '-y', '--no-install-recommends', ...missing], { env })
}
