/** Whether the disk of the chains takes what is written: tried where it was found not to, at most once a second. */
import { type FileHandle, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { SERVER_DIRECTORY } from './settings.js'

/** What a chain reserves at least when it grows. */
const TRIED_BYTES = 1024 * 1024
const AGAIN_MS = 1000
/** A disk that hangs says nothing. */
const PATIENCE_MS = 2000

export class DiskCheck {
  readonly #path: string
  #trying: Promise<boolean> | undefined
  #last = { works: false, endedMs: -Infinity }

  constructor(logsPath: string) {
    this.#path = join(logsPath, SERVER_DIRECTORY, 'disk-check')
  }

  /** What was tried just now is not tried again. False when it does not, or takes too long to say. */
  takesWrites(): Promise<boolean> {
    const { works, endedMs } = this.#last
    if (this.#trying === undefined && performance.now() - endedMs < AGAIN_MS) return Promise.resolve(works)
    this.#trying ??= this.#try().then((hasWorked) => {
      this.#trying = undefined
      this.#last = { works: hasWorked, endedMs: performance.now() }
      return hasWorked
    })
    return inTime(this.#trying)
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

async function inTime(works: Promise<boolean>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), PATIENCE_MS)))
  return await Promise.race([works, late]).finally(() => clearTimeout(timer))
}
