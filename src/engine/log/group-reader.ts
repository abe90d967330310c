/**
 * Reads single groups without a turn of the event loop: one read, one open. Independent of `Log`, for the thread that
 * serves requests while another appends.
 */
import type { ChainKeys } from '../crypto/chain-keys.js'
import type { CryptoProvider } from '../crypto/provider.js'
import { AteError } from '../error.js'
import { MAX_BATCH_BYTES, MAX_BODY_BYTES } from '../limits.js'
import { GROUP_OVERHEAD_BYTES } from './format/group-header.js'
import { segmentName } from './format/segment-name.js'
import { GroupOpener } from './group-opener.js'
import type { LogStorage, SegmentReader } from './storage.js'

/** Open files kept. A chain of 100 GB has 1,600 segments; the working set of a mount is far smaller. */
const MAX_OPEN_SEGMENTS = 64
/** A read buffer above this is not kept. */
const KEPT_BUFFER_BYTES = MAX_BODY_BYTES + GROUP_OVERHEAD_BYTES

export interface GroupAddress {
  segment: number
  position: number
  storedBytes: number
  kind: number
  number: number
  /** As in GroupPlace: without it, a group of the same number from another copy of the chain would be taken. */
  random?: number | undefined
}

export interface GroupReaderOptions {
  storage: Pick<LogStorage, 'openReader'>
  crypto: CryptoProvider
  keys: ChainKeys
}

export class GroupReader {
  readonly #storage: Pick<LogStorage, 'openReader'>
  readonly #opener: GroupOpener
  /** In order of use, the latest last. */
  readonly #segments = new Map<number, SegmentReader>()
  #lastSegment = -1
  #buffer = new Uint8Array(KEPT_BUFFER_BYTES)

  constructor({ storage, crypto, keys }: GroupReaderOptions) {
    this.#storage = storage
    this.#opener = new GroupOpener(crypto, keys)
  }

  /**
   * The group's content, in `into` (of its length) where given, else the caller's to keep. BODY_DAMAGED when anything about
   * it does not verify. `stored`: the group, which is not in the log.
   */
  open(address: GroupAddress, into?: Uint8Array, stored?: Uint8Array): Uint8Array {
    if (stored === undefined) return this.#openInLog(address, into)
    const { kind, number } = address
    const opened = this.#opener.open(stored, { kind, number }, into)
    if (opened === undefined) throw damaged(address, 'does not verify')
    return opened
  }

  #openInLog(address: GroupAddress, into: Uint8Array | undefined): Uint8Array {
    const { storedBytes, position } = address
    if (!(storedBytes >= GROUP_OVERHEAD_BYTES && storedBytes <= MAX_BATCH_BYTES))
      throw damaged(address, 'has an impossible length')
    const buffer = storedBytes <= this.#buffer.length ? this.#buffer : new Uint8Array(storedBytes)
    const stored = buffer.subarray(0, storedBytes)
    for (;;) {
      const length = this.#read(address, position, stored)
      const opened = length < storedBytes ? undefined : this.#opener.open(stored, address, into)
      if (opened !== undefined) return opened
      // What was read ahead may be older than the group.
      if (this.#segment(address.segment).forgetAhead()) continue
      throw damaged(address, length < storedBytes ? 'is cut off' : 'does not verify')
    }
  }

  /** Closes the files and forgets the keys. */
  close(): void {
    for (const segment of this.#segments.values()) segment.close()
    this.#segments.clear()
    this.#lastSegment = -1
    this.#opener.wipe()
  }

  #read(address: GroupAddress, position: number, target: Uint8Array): number {
    try {
      return this.#segment(address.segment).readSync(position, target, 0, target.length)
    } catch (error) {
      throw damaged(address, 'cannot be read', error)
    }
  }

  #segment(number: number): SegmentReader {
    const open = this.#segments.get(number)
    if (open !== undefined) {
      if (number !== this.#lastSegment) this.#use(number, open)
      return open
    }
    const opened = this.#storage.openReader(segmentName(number))
    if (this.#segments.size >= MAX_OPEN_SEGMENTS) this.#closeOldest()
    this.#use(number, opened)
    return opened
  }

  #use(number: number, segment: SegmentReader): void {
    this.#segments.delete(number)
    this.#segments.set(number, segment)
    this.#lastSegment = number
  }

  #closeOldest(): void {
    const oldest = this.#segments.entries().next().value
    if (oldest === undefined) return
    this.#segments.delete(oldest[0])
    oldest[1].close()
  }
}

function damaged({ segment, position, number }: GroupAddress, why: string, cause?: unknown): AteError {
  const message = `Body ${number} in segment ${segment} at ${position} ${why}.`
  return new AteError('BODY_DAMAGED', message, { cause })
}
