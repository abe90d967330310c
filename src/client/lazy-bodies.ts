/**
 * Bodies of a chain whose batches came without their content, fetched from the server when somebody reads them. Who wants the
 * same body shares one fetch; what is read in order is fetched ahead. What was fetched is kept as it is stored, in bounded memory.
 */
import { copyOf } from '../engine/bytes/copy.js'
import { LRUCache } from 'lru-cache'
import { equalBytes } from '../engine/bytes/equal.js'
import type { BodiesElsewhere, BodyPlace } from '../engine/chain/body-place.js'
import { AteError, type ErrorCode, errorCode, isAteError } from '../engine/error.js'
import { merkleLeaf } from '../engine/log/format/merkle.js'
import { type FoundFrame, FramePlaces } from '../engine/log/frame-places.js'
import { groupsOf } from '../engine/log/groups-of-frame.js'
import type { BatchSource } from '../engine/log/index.js'
import { GROUP_CONTENT } from '../engine/log/types.js'
import { MAX_ASKED_BODIES, MAX_SENT_BODY_BYTES } from '../sync/index.js'
import type { ChainSession } from './chain-session.js'
import type { Timers } from '../wire/index.js'
import { ReadAhead } from './read-ahead.js'
import { away as serverAway } from './remote-errors.js'
import type { RemoteLink } from './remote-link.js'
import type { Waiters } from './waiters.js'
import { FETCH_MS } from './waits.js'

/** Requests under way. */
const MAX_ASKING = 4
/** After these it is asked again, on the next connection. */
const LOST = new Set<ErrorCode | undefined>([
  'CONNECTION_LOST',
  'CONNECTION_CLOSED',
  'CONNECTION_FAILED',
  'CHAIN_CLOSED',
])
const AGAIN_MS = 50
/** Memory for what was fetched, when nothing else is said. */
export const FETCHED_BYTES = 64 * 1024 * 1024

export interface LazyBodiesOptions {
  /** The local log: its batches say what their bodies are. */
  readonly source: BatchSource
  readonly link: Pick<RemoteLink, 'server'>
  readonly patienceMs: number
  /** Who waits for the chain to be followed. */
  readonly starting: Waiters
  /** It was away for longer than anybody waits. */
  readonly isAway: () => boolean
  readonly session: () => FollowedChannel | undefined
  /** Throws why it is of no use to go on. */
  readonly demandSound: () => void
  readonly onNotice?: ((message: string) => void) | undefined
  readonly fetchedBytes?: number | undefined
  /** How long a read waits; 10 seconds. */
  readonly fetchMs?: number | undefined
  readonly timers: Timers
}

export type FollowedChannel = Pick<ChainSession, 'channel' | 'peer'>

interface Wanted {
  readonly place: BodyPlace
  readonly resolve: (stored: Uint8Array) => void
  readonly reject: (error: unknown) => void
}

/** A body of a batch, and where it would lie in the local log. */
interface Listed {
  readonly place: BodyPlace
  readonly digest: Uint8Array
}

/** Of one batch. */
interface Content {
  readonly sequence: number
  /** By their numbers, which ascend. */
  readonly bodies: ReadonlyMap<number, Listed>
}

export class LazyBodies implements BodiesElsewhere {
  readonly #options: LazyBodiesOptions
  readonly #frames: FramePlaces
  readonly #fetched: LRUCache<number, Uint8Array>
  readonly #ahead = new ReadAhead()
  /** Those that are being fetched or wait for that. */
  readonly #fetching = new Map<number, Promise<Uint8Array>>()
  readonly #wanted = new Map<number, Wanted>()
  readonly #closing = new AbortController()
  #asking = 0
  /** It is being found out what else is in the batch: what is wanted of that goes with it. */
  #isGathering = false

  constructor(options: LazyBodiesOptions) {
    this.#options = options
    this.#frames = new FramePlaces(options.source)
    this.#fetched = new LRUCache({
      maxSize: options.fetchedBytes ?? FETCHED_BYTES,
      sizeCalculation: (stored) => stored.length,
    })
  }

  here(body: number): Uint8Array | undefined {
    const stored = this.#fetched.get(body)
    if (stored !== undefined) this.#ahead.noteRead(body)
    return stored
  }

  fetch(place: BodyPlace): Promise<Uint8Array> {
    if (this.#closing.signal.aborted) return Promise.reject(closed())
    const { body } = place
    const fetching = this.#fetching.get(body)
    if (fetching !== undefined) return fetching
    const fetch = new Promise<Uint8Array>((resolve, reject) => this.#wanted.set(body, { place, resolve, reject }))
    this.#note(body, fetch)
    // Who reads on asks for more before anything else happens.
    queueMicrotask(() => this.#askMore())
    return fetch
  }

  /** Nothing is fetched any more: CHAIN_CLOSED for who waits. */
  async close(): Promise<void> {
    this.#closing.abort()
    for (const { reject } of this.#wanted.values()) reject(closed())
    this.#wanted.clear()
    this.#fetched.clear()
    await this.#frames.close()
  }

  #note(body: number, fetch: Promise<Uint8Array>): void {
    const end = (): void => void this.#fetching.delete(body)
    this.#fetching.set(body, fetch)
    fetch.then(end, end)
  }

  #askMore(): void {
    const [first] = this.#wanted.values()
    if (first === undefined || this.#isGathering || this.#asking >= MAX_ASKING) return
    this.#wanted.delete(first.place.body)
    this.#asking++
    this.#isGathering = true
    void this.#ask(first).finally(() => {
      this.#asking--
      this.#askMore()
    })
  }

  /** The first one, others of its batch that are wanted, and those that will be. */
  async #ask(first: Wanted): Promise<void> {
    let group = new Map([[first.place.body, first]])
    try {
      const content = await this.#contentAround(first.place).finally(() => (this.#isGathering = false))
      group = this.#gather(first, content)
      this.#askMore()
      await this.#take(content, group)
    } catch (error) {
      for (const { reject } of group.values()) reject(error)
    }
  }

  #contentAround({ segment, position }: BodyPlace): Promise<Content> {
    return this.#frames.withPlace(segment, position, (found) => Promise.resolve(contentOf(found)))
  }

  /** The first one first: an answer has at least that. */
  #gather(first: Wanted, { bodies }: Content): Map<number, Wanted> {
    const { body } = first.place
    const group = new Map([[body, first]])
    let room = MAX_SENT_BODY_BYTES - (bodies.get(body)?.place.storedBytes ?? 0)
    let ahead = this.#ahead.wanted(body)
    for (const [number, { place }] of bodies) {
      if (number === body) continue
      if (group.size >= MAX_ASKED_BODIES || place.storedBytes > room) break
      const wanted = this.#wanted.get(number)
      if (
        wanted === undefined &&
        (number < body || ahead-- <= 0 || this.#fetched.has(number) || this.#fetching.has(number))
      )
        continue
      group.set(number, wanted ?? this.#expect(place))
      this.#wanted.delete(number)
      room -= place.storedBytes
    }
    return group
  }

  /** Who wants it while it is on its way waits for that. */
  #expect(place: BodyPlace): Wanted {
    const settle: Pick<Wanted, 'resolve' | 'reject'>[] = []
    const fetch = new Promise<Uint8Array>((resolve, reject) => settle.push({ resolve, reject }))
    fetch.catch(() => undefined)
    this.#note(place.body, fetch)
    return { place, resolve: (stored) => settle[0]?.resolve(stored), reject: (error) => settle[0]?.reject(error) }
  }

  async #take(content: Content, group: ReadonlyMap<number, Wanted>): Promise<void> {
    const { session, bodies } = await this.#request(content.sequence, [...group.keys()])
    if (bodies.length === 0 || bodies.length > group.size)
      throw this.#forged(session, `The server has sent ${bodies.length} bodies where ${group.size} were asked for.`)
    for (const [i, wanted] of [...group.values()].entries()) {
      const { body } = wanted.place
      const stored = bodies[i]
      // It may send fewer than were asked for.
      if (stored === undefined) this.#wanted.set(body, wanted)
      else if (stored === null) wanted.reject(gone(body))
      else if (!this.#isRight(stored, content.bodies.get(body)))
        throw this.#forged(session, `The server has sent other bytes for body ${body} than its batch says.`)
      else wanted.resolve(this.#keep(body, stored))
    }
  }

  /** A view would keep all that came with it. */
  #keep(body: number, stored: Uint8Array): Uint8Array {
    const kept = copyOf(stored)
    this.#fetched.set(body, kept)
    return kept
  }

  #isRight(stored: Uint8Array, listed: Listed | undefined): boolean {
    const { crypto } = this.#options.source
    if (stored.length !== listed?.place.storedBytes) return false
    return equalBytes(merkleLeaf(crypto, stored), listed.digest)
  }

  #forged(session: FollowedChannel, why: string): AteError {
    const error = new AteError('BODY_DAMAGED', why)
    this.#options.onNotice?.(why)
    void session.peer.close(error)
    return error
  }

  async #followed(timeoutMs: number): Promise<FollowedChannel> {
    const { link, patienceMs, starting, isAway, session, demandSound } = this.#options
    const late = (): AteError => serverAway(link.server)
    for (;;) {
      demandSound()
      const followed = session()
      if (followed !== undefined) return followed
      if (isAway()) throw late()
      await starting.wait(Math.min(timeoutMs, patienceMs), late)
    }
  }

  /** A connection that is lost meanwhile is waited for, all in a bounded time. */
  async #request(
    sequence: number,
    numbers: readonly number[],
  ): Promise<{ session: FollowedChannel; bodies: readonly (Uint8Array | null)[] }> {
    const { timers, fetchMs = FETCH_MS } = this.#options
    const { signal } = this.#closing
    const until = performance.now() + fetchMs
    for (;;) {
      const timeoutMs = Math.max(1, until - performance.now())
      try {
        const session = await this.#followed(timeoutMs)
        const asked = { sequence, numbers }
        const { bodies } = await session.peer.request(session.channel, 'bodies', asked, { timeoutMs, signal })
        return { session, bodies }
      } catch (error) {
        if (signal.aborted) throw closed()
        const mayPass = LOST.has(errorCode(error))
        if (!mayPass || performance.now() + AGAIN_MS >= until) throw away(error)
        await new Promise<void>((resolve) => timers.after(AGAIN_MS, resolve))
      }
    }
  }
}

function contentOf({ segment, frame }: FoundFrame): Content {
  const bodies = new Map<number, Listed>()
  for (const { kind, number, position, storedBytes, digest } of groupsOf(frame)) {
    const place = { body: number, random: 0, segment, position, storedBytes }
    if (kind === GROUP_CONTENT) bodies.set(number, { place, digest })
  }
  return { sequence: frame.head.link.sequence, bodies }
}

function closed(): AteError {
  return new AteError('CHAIN_CLOSED', 'The chain is closed.')
}

function gone(body: number): AteError {
  return new AteError('BODY_GONE', `Body ${body} was dropped from the chain, and the server has it no more.`)
}

function away(cause: unknown): AteError {
  const why = isAteError(cause) ? cause.message : ''
  return new AteError('BODY_AWAY', `What lies at the server cannot be read now. ${why}`, { cause })
}
