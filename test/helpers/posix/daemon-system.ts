/** A mount by `atefs mount` as a system under test: the whole program, with a chain on the disk. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Test } from 'tap'
import type { Lacks } from '../../contract/file-system/contract.js'
import type { KernelSystem } from '../../contract/file-system/kernel.js'
import { isRoot, testingUser } from '../user.js'
import { serveChains } from '../serve-chains.js'
import { Vault, type VaultOptions } from '../vault.js'
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

  private constructor(name: string, lacks: Lacks, vault: Vault) {
    this.name = name
    this.client = new SyscallClient(vault.mountpoint)
    this.lacks = { ...lacksWithoutRoot(), ...lacks }
    this.#vault = vault
  }

  static async start(t: Test, driver: ServerOptions['driver'], lacks: Lacks): Promise<DaemonSystem> {
    return DaemonSystem.#mount(t, `${driver} mount of the daemon`, lacks, { flags: ['--driver', driver] })
  }

  /** Of a chain that a server of its own keeps. */
  static async startServed(t: Test, ...flags: string[]): Promise<DaemonSystem> {
    const options = { server: await serveChains(t), flags: ['--driver', 'direct', ...flags] }
    return DaemonSystem.#mount(t, `mount of a served chain with ${flags.join(' ')}`, {}, options)
  }

  static async #mount(t: Test, name: string, lacks: Lacks, options: VaultOptions): Promise<DaemonSystem> {
    const others = isRoot ? ['-o', 'allow_other'] : []
    const vault = Vault.create(t, testingUser, { ...options, flags: [...(options.flags ?? []), ...others] })
    // A temporary chain does not make it.
    mkdirSync(vault.logPath, { recursive: true })
    await vault.mount()
    return new DaemonSystem(name, lacks, vault)
  }

  async reopen(how: Reopening): Promise<void> {
    if (how === 'crash') {
      await withOpen(this.client, '.', (fd) => this.client.fsync(fd), O_RDONLY)
      await this.#vault.crash()
    } else {
      await this.#vault.unmount()
    }
    if (how === 'rebuild') rmSync(join(this.#vault.chain, 'index'), { recursive: true })
    await this.#vault.mount()
  }
}
