/**
 * The program under test at paths that an ordinary user can reach. A checkout in root's home directory is shown at
 * another place by a read-only bind mount; read-only, because the test directory is deleted afterwards.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import { projectRoot } from './source-files.js'

export interface Installation {
  node: string
  /** The checkout, built. */
  root: string
}

/** True when everybody may read `path` and pass through every directory above it. */
function isOpenToAll(path: string): boolean {
  for (let at = dirname(path); ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false
    if (at === '/') return (statSync(path).mode & 0o004) !== 0
  }
}

function mustRun(program: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`)
}

let installation: Installation | undefined

/** The installation for any user; made once for a test file, gone with it. */
export function openInstallation(): Installation {
  installation ??= makeInstallation()
  return installation
}

function makeInstallation(): Installation {
  const here = { node: process.execPath, root: projectRoot }
  const nodeIsOpen = isOpenToAll(here.node)
  const rootIsOpen = isOpenToAll(join(projectRoot, 'package.json'))
  if (nodeIsOpen && rootIsOpen) return here
  const directory = mkdtempSync(join(tmpdir(), 'atefs-installation-'))
  chmodSync(directory, 0o755)
  const node = nodeIsOpen ? here.node : join(directory, 'node')
  if (!nodeIsOpen) copyFileSync(here.node, node)
  const root = rootIsOpen ? here.root : join(directory, 'atefs')
  if (!rootIsOpen) {
    mkdirSync(root)
    mustRun('mount', '-o', 'bind,ro', projectRoot, root)
  }
  t.teardown(() => {
    if (!rootIsOpen) mustRun('umount', root)
    rmSync(directory, { recursive: true })
  })
  return { node, root }
}
