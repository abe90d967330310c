/** A mount of ours as a system under test, served by a process of its own (`mount-server.ts`). */
import { fork, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, realpathSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Test } from 'tap'
import type { Lacks } from '../../contract/file-system/contract.js'
import type { KernelSystem } from '../../contract/file-system/kernel.js'
import { lacksWithoutRoot } from './plain-directory.js'
import type { ServerOptions, ServerRequest } from './mount-server.js'
import { SyscallClient } from './syscall-client.js'

export class MountedSystem implements KernelSystem {
  readonly name: string
  readonly client: SyscallClient
  readonly lacks: Lacks
  readonly #server: MountServer

  private constructor(name: string, mountpoint: string, lacks: Lacks, server: MountServer) {
    this.name = name
    this.client = new SyscallClient(mountpoint)
    this.lacks = { ...lacksWithoutRoot(), ...lacks }
    this.#server = server
  }

  /** A mount that is gone at the end of the test; a warning of its server is a failure. */
  static async start(t: Test, driver: ServerOptions['driver'], lacks: Lacks): Promise<MountedSystem> {
    const mountpoint = realpathSync(mkdtempSync(join(tmpdir(), `atefs-${driver}-`)))
    const server = new MountServer((message) => void t.fail(`the server warns: ${message}`))
    t.teardown(async () => {
      await server.ask({ call: 'stop' }).catch((error: unknown) => void t.fail(String(error)))
      // After a crash of the server.
      spawnSync('umount', ['-l', mountpoint])
      rmdirSync(mountpoint)
    })
    await server.ask({ call: 'start', options: { driver, mountpoint } })
    return new MountedSystem(`${driver} mount`, mountpoint, lacks, server)
  }

  /** Unmounts, closes the chain, opens and mounts it again. Nothing may be open. */
  async remount(): Promise<void> {
    await this.#server.ask({ call: 'remount' })
  }

  /** Resolves when the driver says that the kernel has let go of the mount. */
  async ended(): Promise<void> {
    await this.#server.ask({ call: 'ended' })
  }
}

type ServerMessage = { warning: string } | { failure: string | null }

class MountServer {
  readonly #child: ChildProcess
  readonly #onWarning: (message: string) => void
  #answer: ((failure: string | null) => void) | undefined

  constructor(onWarning: (message: string) => void) {
    this.#onWarning = onWarning
    this.#child = fork(fileURLToPath(new URL('mount-server.ts', import.meta.url)))
    this.#child.on('message', (message) => this.#receive(message as ServerMessage))
    this.#child.on('exit', (code, signal) => this.#answer?.(`the server ended (${signal ?? code ?? 'unknown'})`))
  }

  async ask(request: ServerRequest): Promise<void> {
    if (!this.#child.connected) throw new Error('the server has ended')
    const failure = await new Promise<string | null>((resolve) => {
      this.#answer = resolve
      this.#child.send(request)
    })
    if (failure !== null) throw new Error(failure)
  }

  #receive(message: ServerMessage): void {
    if ('warning' in message) this.#onWarning(message.warning)
    else this.#answer?.(message.failure)
  }
}
