/** Whether the disk of the chains takes what is written: tried where it was found not to, at most once a second. */
import { type FileHandle, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { SERVER_DIRECTORY } from './settings.js'

/** What a chain reserves at least when it grows. */
const TRIED_BYTES = 1024 * 1024
const AGAIN_MS = 1000

export class DiskCheck {
  readonly #path: string
  #trying: Promise<boolean> | undefined
  #endedMs = -Infinity

  constructor(logsPath: string) {
    this.#path = join(logsPath, SERVER_DIRECTORY, 'disk-check')
  }

  /** False when it does not, or was tried just now. Who asks meanwhile is answered with the others. */
  takesWrites(): Promise<boolean> {
    if (this.#trying !== undefined) return this.#trying
    if (performance.now() - this.#endedMs < AGAIN_MS) return Promise.resolve(false)
    this.#trying = this.#try().finally(() => {
      this.#trying = undefined
      this.#endedMs = performance.now()
    })
    return this.#trying
  }

  async #try(): Promise<boolean> {
    let file: FileHandle | undefined
    try {
      file = await open(this.#path, 'w', 0o600)
      await file.writeFile(new Uint8Array(TRIED_BYTES))
      await file.sync()
      return true
    } catch {
      return false
    } finally {
      await file?.close().catch(() => undefined)
      await rm(this.#path, { force: true }).catch(() => undefined)
    }
  }
}
