/**
 * A mount namespace in which root has changed the machine: a device, a library or a configuration is missing or another
 * one there, and nowhere else. What is started in it ends with it.
 */
import { join } from 'node:path'
import { openInstallation } from './installation.js'
import { run, type ProgramResult } from './program.js'
import { testingUser, type User } from './user.js'
import type { Vault } from './vault.js'

/** What such a test says where it cannot run. */
export const NEEDS_ROOT = 'only root can change what a program sees of the machine'

/** Runs a line of shell as root in a namespace of its own, with the vault's environment. */
export function inNamespace(vault: Vault, line: string): Promise<ProgramResult> {
  const own = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc']
  return run('unshare', [...own, '/bin/sh', '-euc', line], { user: testingUser, environment: vault.environment })
}

/** The words that run a program as somebody, in a line of root's shell. */
export function as({ uid, gid }: Pick<User, 'uid' | 'gid'>, ...words: string[]): string {
  const identity = uid === 0 ? [] : ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups']
  return [...identity, ...words].join(' ')
}

/** The words of `atefs ARGS` as the vault's user. */
export function atefs(vault: Vault, ...args: string[]): string {
  const { node, root } = openInstallation()
  return as(vault.user, node, join(root, 'bin/run.js'), ...args)
}

/** The words of `atefs mount` for the vault. */
export function atefsMount(vault: Vault, ...flags: string[]): string {
  const secret = vault.hasPassphrase ? ['--passfile', vault.passfile] : ['--no-auth']
  return atefs(vault, 'mount', vault.mountpoint, '--log-path', vault.logPath, '--json', ...secret, ...flags)
}
