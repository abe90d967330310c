/** The test's end of `direct-mount-server.ts`: one process, and one mount of a file system in memory after the other. */
import { fork, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, realpathSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { detach } from '../../src/fs/drivers/direct/mount/detach.js'
import type { DriverOptions } from '../../src/fs/drivers/driver.js'
import type { MountAnswer, MountCall } from './direct-mount-server.js'
import { isRoot, type User } from './user.js'

export class DirectMountProcess {
  readonly #child: ChildProcess
  readonly #answers: ((answer: MountAnswer) => void)[] = []
  readonly #exited: Promise<unknown>
  #saidEnded: () => void = () => undefined
  /** The driver's own word that the kernel has let go of the last mount. */
  ended: Promise<void> = Promise.resolve()

  private constructor(
    t: Test,
    readonly mountpoint: string,
    user?: User,
  ) {
    const identity = user === undefined || !isRoot ? {} : { uid: user.uid, gid: user.gid }
    this.#child = fork(fileURLToPath(new URL('direct-mount-server.ts', import.meta.url)), identity)
    this.#exited = once(this.#child, 'exit')
    this.#child.on('message', (message: MountAnswer) => {
      if (!('event' in message)) this.#answers.shift()?.(message)
      else if (message.event === 'ended') this.#saidEnded()
      else t.fail(message.event)
    })
  }

  /** A server and a mountpoint of the user's, not mounted, until the end of the test. */
  static start(t: Test, user?: User): DirectMountProcess {
    const mountpoint = realpathSync(mkdtempSync(join(tmpdir(), 'atefs-mount-')))
    if (user !== undefined) chownSync(mountpoint, user.uid, user.gid)
    const mount = new DirectMountProcess(t, mountpoint, user)
    t.teardown(async () => {
      if (mount.#child.connected) mount.#child.disconnect()
      await mount.#exited
      rmdirSync(mountpoint)
    })
    return mount
  }

  /** Mounts an empty file system until the end of the test, if it is not unmounted before. */
  async mount(t: Test, options: Partial<DriverOptions> = {}): Promise<void> {
    const names = { mountpoint: this.mountpoint, fsName: 'in memory', subtype: 'atefs' }
    const rights = { readOnly: false, allowOther: false, allowRoot: false, kernelOptions: [] }
    await this.ask({ call: 'mount', options: { ...names, ...rights, ...options } })
    let isMounted = true
    this.ended = new Promise((resolve) => (this.#saidEnded = resolve))
    void this.ended.then(() => (isMounted = false))
    t.teardown(async () => {
      if (isMounted) await this.ask({ call: 'unmount', lazy: true })
    })
  }

  /** Without a word. The mount stays where it is, with nobody behind it, until the end of the test. */
  kill(t: Test): void {
    t.teardown(async () => {
      // Whoever waits for it even so is let go.
      spawnSync('umount', ['-i', '-f', this.mountpoint])
      await detach(this.mountpoint, { lazy: true }).catch(() => undefined)
    })
    this.#child.kill('SIGKILL')
    this.#saidEnded()
  }

  /** Fails with what the driver failed with: code, message and hint. */
  async ask(call: MountCall): Promise<unknown> {
    const answer = await new Promise<MountAnswer>((resolve) => {
      this.#answers.push(resolve)
      this.#child.send(call)
    })
    if ('result' in answer || 'event' in answer) return 'result' in answer ? answer.result : undefined
    throw Object.assign(new Error(answer.message), { code: answer.code, hint: answer.hint })
  }

  /** Requests by opcode since the last call. */
  async counts(): Promise<Record<number, number>> {
    return Object.fromEntries(Object.entries((await this.ask({ call: 'counts' })) ?? {}))
  }
}
