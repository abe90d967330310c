/**
 * A process that serves a mount of a chain in memory, for tests that use the mount by system calls: those block, so the
 * mount must be another process's. Started with fork(); each message is a request, each answer an error's text or null.
 * Unmounts and ends with its channel.
 */
import type { Driver, DriverOptions, MountedDriver } from '../../../src/fs/drivers/driver.js'
import { testingUser } from '../user.js'
import { MemoryVault } from './memory-vault.js'

export interface ServerOptions {
  driver: 'direct' | 'fuse-native'
  mountpoint: string
}

export type ServerRequest =
  { call: 'start'; options: ServerOptions } | { call: 'remount' } | { call: 'ended' } | { call: 'stop' }

async function loadDriver(name: ServerOptions['driver']): Promise<Driver> {
  if (name === 'direct') return (await import('../../../src/fs/drivers/direct/direct-driver.js')).directDriver
  return (await import('../../../src/fs/drivers/fuse-native/fuse-native-driver.js')).fuseNativeDriver
}

class Server {
  readonly #options: DriverOptions
  readonly #driver: Driver
  readonly #vault: MemoryVault
  #mount: MountedDriver
  #isMounted = true

  private constructor(options: DriverOptions, driver: Driver, vault: MemoryVault, mount: MountedDriver) {
    this.#options = options
    this.#driver = driver
    this.#vault = vault
    this.#mount = mount
  }

  static async start({ driver: name, mountpoint }: ServerOptions): Promise<Server> {
    const driver = await loadDriver(name)
    const warn = (message: string): void => void process.send?.({ warning: message })
    // As a mount of the program makes it: a root directory of uid 0 would be closed to an ordinary user.
    const root = { mode: 0o755, uid: testingUser.uid, gid: testingUser.gid }
    const vault = await MemoryVault.open({ onWarning: warn, root })
    const options: DriverOptions = {
      mountpoint,
      fsName: 'atefs-test',
      subtype: 'atefs',
      readOnly: false,
      allowOther: process.getuid?.() === 0,
      allowRoot: false,
      kernelOptions: [],
      onWarning: warn,
    }
    return new Server(options, driver, vault, await driver(vault.fileSystem, options))
  }

  async remount(): Promise<void> {
    await this.#mount.unmount()
    await this.#vault.reopen()
    this.#mount = await this.#driver(this.#vault.fileSystem, this.#options)
  }

  async ended(): Promise<void> {
    await this.#mount.ended
    this.#isMounted = false
  }

  async stop(how: { lazy?: boolean } = {}): Promise<void> {
    if (this.#isMounted) await this.#mount.unmount(how)
    await this.#vault.close()
  }
}

let server: Server | undefined

async function serve(request: ServerRequest): Promise<void> {
  if (request.call === 'start') server = await Server.start(request.options)
  else if (request.call === 'remount') await server?.remount()
  else if (request.call === 'ended') await server?.ended()
  else await server?.stop()
}

process.on('message', (message) => {
  const request = message as ServerRequest
  serve(request)
    .catch((error: unknown) => (error instanceof Error ? String(error.stack) : String(error)))
    .then((failure) => process.send?.({ failure: failure ?? null }))
    .catch(() => undefined)
    .finally(() => {
      if (request.call === 'stop') process.exit(0)
    })
})
process.once('disconnect', () => {
  void server?.stop({ lazy: true }).finally(() => process.exit(1))
})
