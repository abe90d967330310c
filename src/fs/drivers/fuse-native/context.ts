/** What every operation of the driver works with. */
import type { Reply, ReplyWith } from 'fuse-native'
import { errorCode } from '../../../engine/error.js'
import { ERRNO, Errno } from '../../errno.js'
import type { Caller, FileSystem } from '../../vfs/types.js'
import type { DriverOptions } from '../driver.js'
import { Handles } from './handles.js'
import { HiddenFiles } from './hidden-files.js'
import { Paths } from './paths.js'

export class Context {
  readonly fs: FileSystem
  readonly handles: Handles
  readonly hidden: HiddenFiles
  readonly paths: Paths
  /** libfuse knows who asks, the package does not tell: what is made belongs to the user of this process. */
  readonly caller: Caller
  /** Waits until what others changed is here; undefined when it is. */
  readonly refresh: () => Promise<void> | undefined
  readonly #onWarning: (message: string) => void

  constructor(fs: FileSystem, { onWarning, others }: Pick<DriverOptions, 'onWarning' | 'others'>) {
    this.fs = fs
    this.refresh = others?.kind === 'asked' ? others.refresh : () => undefined
    this.handles = new Handles(fs)
    this.hidden = new HiddenFiles(fs)
    this.paths = new Paths(fs, this.hidden)
    this.caller = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0, pid: 0 }
    this.#onWarning = onWarning
  }

  /** Answers with the count that `work` gives, or with 0, or with its failure. */
  serve(reply: Reply, work: () => Promise<unknown>): void {
    void work().then(
      (count) => reply(typeof count === 'number' ? count : 0),
      (error: unknown) => reply(this.negativeErrno(error)),
    )
  }

  serveValue<T>(reply: ReplyWith<T>, work: () => Promise<T>): void {
    void work().then(
      (value) => reply(0, value),
      (error: unknown) => reply(this.negativeErrno(error)),
    )
  }

  negativeErrno(error: unknown): number {
    const code = errorCode(error)
    if (code !== undefined) return -ERRNO[code]
    // A defect of ours fails one request, not the mount.
    this.#onWarning(error instanceof Error ? (error.stack ?? error.message) : String(error))
    return -Errno.EIO
  }
}
