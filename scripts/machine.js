/**
 * What the tests need of the machine beyond Node: FUSE, and the programs that the end-to-end tests run on a mount.
 * Root on a Debian gets it installed; anyone else is told the one line to type.
 */
import { spawnSync } from 'node:child_process'
import { accessSync, chmodSync, constants, existsSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Programs, and the Debian package each comes with. */
const PROGRAMS = {
  fusermount3: 'fuse3',
  git: 'git',
  rsync: 'rsync',
  sqlite3: 'sqlite3',
  tar: 'tar',
  make: 'make',
  cc: 'gcc',
  getfattr: 'attr',
  setfacl: 'acl',
  flock: 'util-linux',
  setpriv: 'util-linux',
  unshare: 'util-linux',
  useradd: 'passwd',
  'mkfs.ext4': 'e2fsprogs',
  ip: 'iproute2',
}

/** Files, and the package each comes with: a compiler is no use without headers, fuse-native none without its library. */
const FILES = [
  { anyOf: ['/usr/include/stdio.h'], package: 'libc6-dev' },
  {
    anyOf: ['x86_64', 'aarch64', 'arm'].map(
      (cpu) => `/usr/lib/${cpu}-linux-gnu${cpu === 'arm' ? 'eabihf' : ''}/libfuse.so.2`,
    ),
    package: 'libfuse2',
  },
]

const isRoot = process.getuid?.() === 0

/** @param {string} program */
function onPath(program) {
  const folders = `${process.env.PATH ?? ''}${delimiter}/usr/sbin${delimiter}/sbin`.split(delimiter)
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** @returns {string[]} Debian packages to install, each once */
function missingPackages() {
  const programs = Object.entries(PROGRAMS).filter(([program]) => !onPath(program))
  const files = FILES.filter(({ anyOf }) => !anyOf.some((path) => existsSync(path)))
  return [...new Set([...programs.map(([, name]) => name), ...files.map((file) => file.package)])]
}

/** @param {string[]} words */
function aptGet(...words) {
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  return spawnSync('apt-get', words, { stdio: ['ignore', 'inherit', 'inherit'], env: environment }).status === 0
}

/** Installs what is missing. @returns {string | undefined} what is wrong, when something still is */
function preparePrograms() {
  const missing = missingPackages()
  if (missing.length === 0) return undefined
  const line = `apt-get update && apt-get install -y --no-install-recommends ${missing.join(' ')}`
  if (!isRoot || !onPath('apt-get'))
    return `The tests need programs that are not installed. Type:\n\n    sudo sh -c '${line}'\n`
  const install = ['install', '-y', '--no-install-recommends', ...missing]
  if (!aptGet(...install)) {
    aptGet('update')
    aptGet(...install)
  }
  const still = missingPackages()
  return still.length === 0 ? undefined : `Could not install ${still.join(', ')}.`
}

/** Makes /dev/fuse usable, also by ordinary users. @returns {string | undefined} what is wrong, when something still is */
function prepareFuse() {
  if (!existsSync('/dev/fuse') && isRoot) spawnSync('modprobe', ['fuse'])
  if (!existsSync('/dev/fuse'))
    return '/dev/fuse is missing: the kernel has no FUSE, or the container was not given it.'
  if (isRoot && (statSync('/dev/fuse').mode & 0o666) !== 0o666) chmodSync('/dev/fuse', 0o666)
  try {
    accessSync('/dev/fuse', constants.R_OK | constants.W_OK)
    return undefined
  } catch {
    return '/dev/fuse may not be opened by this user. Type:\n\n    sudo chmod 0666 /dev/fuse\n'
  }
}

/** @returns {string | undefined} why the tests cannot run here */
export function prepareMachine() {
  return preparePrograms() ?? prepareFuse()
}
