/** A file system on memory with a clock and a timer that tests turn by hand. */
import type { Clock } from '../../src/fs/vfs/clock.js'
import type { Timer } from '../../src/fs/vfs/commits/commit-scheduler.js'
import type { ChainFileSystem } from '../../src/fs/vfs/file-system.js'
import { openFileSystem } from '../../src/fs/vfs/open.js'
import type { FileSystemOptions } from '../../src/fs/vfs/options.js'
import type { Attributes, Caller, Ino, Name } from '../../src/fs/vfs/types.js'
import { MemoryRecordView } from './memory-record-view.js'

export const NAME_KEY = new Uint8Array(16).fill(7)
export const USER: Caller = { uid: 1000, gid: 1000, pid: 42 }
export const KEEP_PRIVILEGES = { clearPrivileges: false }

/** Stands still but for `advance`; every tick is one nanosecond later, so that order shows. */
export class ManualClock implements Clock {
  sec = 1_000_000
  nsec = 0

  tick(): void {
    this.nsec++
  }

  advance(seconds: number): void {
    this.sec += seconds
  }
}

export class ManualTimer implements Timer {
  #callback: (() => void) | undefined
  delayMs = 0

  get isRunning(): boolean {
    return this.#callback !== undefined
  }

  start(delayMs: number, callback: () => void): void {
    this.delayMs = delayMs
    this.#callback = callback
  }

  stop(): void {
    this.#callback = undefined
  }

  /** Lets the delay pass. */
  fire(): void {
    const callback = this.#callback
    this.#callback = undefined
    callback?.()
  }
}

export interface MemoryFileSystem {
  fs: ChainFileSystem
  view: MemoryRecordView
  clock: ManualClock
  timer: ManualTimer
  warnings: string[]
}

export async function openMemoryFs(
  options: Partial<FileSystemOptions> = {},
  view = new MemoryRecordView(),
): Promise<MemoryFileSystem> {
  const clock = new ManualClock()
  const timer = new ManualTimer()
  const warnings: string[] = []
  const onWarning = (message: string): void => void warnings.push(message)
  const fs = await openFileSystem({ view, options: { nameKey: NAME_KEY, onWarning, clock, timer, ...options } })
  return { fs, view, clock, timer, warnings }
}

/** What a remount after a crash finds. */
export function remountAfterCrash(
  { view }: MemoryFileSystem,
  options: Partial<FileSystemOptions> = {},
): Promise<MemoryFileSystem> {
  return openMemoryFs(options, view.reopened())
}

export function nameOf(text: string): Name {
  return text as Name
}

export async function makeFile(fs: ChainFileSystem, parent: Ino, name: string, content = ''): Promise<Ino> {
  const { ino } = await fs.makeNode(parent, nameOf(name), { mode: 0o100644, rdev: 0, umask: 0 }, USER)
  if (content.length > 0) await fs.write(ino, 0, Buffer.from(content), KEEP_PRIVILEGES)
  return ino
}

export async function makeDirectory(fs: ChainFileSystem, parent: Ino, name: string): Promise<Ino> {
  return (await fs.makeDirectory(parent, nameOf(name), 0o755, 0, USER)).ino
}

export async function readAll(fs: ChainFileSystem, ino: Ino): Promise<Buffer> {
  const { size } = fs.getAttributes(ino)
  const target = Buffer.alloc(size, 0xcc)
  const count = await fs.read(ino, 0, size, target, 0)
  return target.subarray(0, count)
}

export function exists(fs: ChainFileSystem, parent: Ino, name: string): Attributes | undefined {
  return fs.lookup(parent, nameOf(name))
}

export interface Listed {
  name: string
  ino: Ino
  type: number
  cookie: number
}

/** Lists a directory, `chunk` entries per call. '.' and '..' are left out unless asked for. */
export function listDirectory(fs: ChainFileSystem, ino: Ino, chunk = Infinity, withDots = false): Listed[] {
  const listed: Listed[] = []
  for (let cookie = 0; ;) {
    let count = 0
    let last = cookie
    fs.readDirectory(ino, cookie, (name, entryIno, type, next) => {
      if (count >= chunk) return false
      count++
      last = next
      if (withDots || (name !== '.' && name !== '..')) listed.push({ name, ino: entryIno, type, cookie: next })
      return true
    })
    if (count === 0) return listed
    cookie = last
  }
}
