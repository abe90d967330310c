/** Who has asked for locks on this machine, and by which open file: what must be let go of when that is closed. */
import type { FileLock, OwnedRange } from '../driver.js'

export interface LockedBy {
  readonly lock: FileLock
  /** Of the process that asked. */
  readonly pid: number
}

type OwnerName = Pick<OwnedRange, 'ino' | 'space' | 'owner'>

export class LockOwners {
  readonly #owners = new Map<string, LockedBy & { readonly handles: Set<number> }>()
  readonly #byHandle = new Map<number, Set<string>>()
  #lastHandle = 0

  /** For one open file: another one than all before. */
  newHandle(): number {
    return ++this.#lastHandle
  }

  /** Until `forget` the owner may have a lock; the last one that was asked for is remembered. */
  note(handle: number, lock: FileLock, pid: number): void {
    const key = keyOf(lock)
    const { handles = new Set<number>() } = this.#owners.get(key) ?? {}
    this.#owners.set(key, { lock, pid, handles: handles.add(handle) })
    const keys = this.#byHandle.get(handle) ?? new Set()
    this.#byHandle.set(handle, keys.add(key))
  }

  find(owner: OwnerName): LockedBy | undefined {
    return this.#owners.get(keyOf(owner))
  }

  forget(owner: OwnerName): void {
    const key = keyOf(owner)
    // What it locks later goes with the open file by which it does that.
    for (const handle of this.#owners.get(key)?.handles ?? []) this.#byHandle.get(handle)?.delete(key)
    this.#owners.delete(key)
  }

  /** Those who asked by this open file, which is closed. */
  closed(handle: number): LockedBy[] {
    const keys = this.#byHandle.get(handle)
    this.#byHandle.delete(handle)
    return [...(keys ?? [])].flatMap((key) => this.#owners.get(key) ?? [])
  }
}

function keyOf({ ino, space, owner }: OwnerName): string {
  return `${space} ${ino} ${owner}`
}
