/** A mount by `atefs mount` as a system under test: the whole program, with a chain on the disk. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Test } from 'tap'
import type { Lacks } from '../../contract/file-system/contract.js'
import type { KernelSystem } from '../../contract/file-system/kernel.js'
import { isRoot, testingUser } from '../user.js'
import { Vault } from '../vault.js'
import { O_RDONLY } from './constants.js'
import { withOpen } from './files.js'
import type { Reopening } from './memory-vault.js'
import type { ServerOptions } from './mount-server.js'
import { lacksWithoutRoot } from './plain-directory.js'
import { SyscallClient } from './syscall-client.js'

export class DaemonSystem implements KernelSystem {
  readonly name: string
  readonly client: SyscallClient
  readonly lacks: Lacks
  readonly #vault: Vault
  readonly #flags: readonly string[]

  private constructor(name: string, lacks: Lacks, vault: Vault, flags: readonly string[]) {
    this.name = name
    this.client = new SyscallClient(vault.mountpoint)
    this.lacks = { ...lacksWithoutRoot(), ...lacks }
    this.#vault = vault
    this.#flags = flags
  }

  static async start(t: Test, driver: ServerOptions['driver'], lacks: Lacks): Promise<DaemonSystem> {
    const vault = Vault.create(t, testingUser)
    // Without a passphrase it opens at once.
    const flags = ['--no-auth', '--driver', driver, ...(isRoot ? ['-o', 'allow_other'] : [])]
    await vault.mount(...flags)
    return new DaemonSystem(`${driver} mount of the daemon`, lacks, vault, flags)
  }

  async reopen(how: Reopening): Promise<void> {
    if (how === 'crash') {
      await withOpen(this.client, '.', (fd) => this.client.fsync(fd), O_RDONLY)
      await this.#vault.crash()
    } else {
      await this.#vault.unmount()
    }
    if (how === 'rebuild') rmSync(join(this.#vault.chain, 'index'), { recursive: true })
    await this.#vault.mount(...this.#flags)
  }
}
