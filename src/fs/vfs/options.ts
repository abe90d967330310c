/** What a file system is told besides its chain. */
import type { Clock } from './clock.js'
import type { Timer } from './commits/commit-scheduler.js'
import type { ReferenceCounts } from './inodes/reference-counts.js'
import type { NameHash } from './directories/directory-entries.js'

/** When reading changes the access time (mount(8)). */
export type AccessTimePolicy = 'relatime' | 'noatime' | 'strictatime'

export interface Space {
  totalBytes: number
  freeBytes: number
  /** For ordinary users. */
  availableBytes: number
}

export interface FileSystemOptions {
  /** 16 bytes of the chain's keys: places of names in directories. The same for the chain's whole life. */
  nameKey: Uint8Array
  /** One line for the log about something unexpected that the file system survives. */
  onWarning: (message: string) => void
  readOnly?: boolean
  /** The chain has other writers too, on other machines: which of them this one is, an integer in [1, 2^53). */
  writer?: number
  /** What the kernel refers to already: it has had another file system of the chain here. */
  references?: ReferenceCounts
  /** In distributed trust: ids of the keys that may write a file system that is made, 32 bytes each. */
  writers?: readonly Uint8Array[] | undefined
  /** What a sync waits for when everything is durable here. */
  synced?: (() => Promise<void>) | undefined
  /** The chain is known to be damaged: one without a file system is not new, but has lost it. */
  allowDamage?: boolean
  accessTime?: AccessTimePolicy
  /** The root directory when it is made: permission bits and owner. */
  root?: { mode: number; uid: number; gid: number }
  /** Space on the medium; must answer at once. */
  space?: () => Space
  /** Inodes kept in memory: about 400 bytes each. */
  cachedInodes?: number

  /** For tests. */
  clock?: Clock
  timer?: Timer
  hashName?: NameHash
}

export const DEFAULT_CACHED_INODES = 100_000
export const DEFAULT_ROOT = { mode: 0o755, uid: 0, gid: 0 }
/** Until somebody says how much there is: 1 TiB. */
export const DEFAULT_SPACE: Space = { totalBytes: 2 ** 40, freeBytes: 2 ** 40, availableBytes: 2 ** 40 }
