/**
 * A chain on one connection: its channel is opened, what the server has is compared with what is here, and from then on the
 * server's batches are taken in as they come. It ends with the connection, or with the first thing that is wrong.
 */
import { copyOf } from '../engine/bytes/copy.js'
import { equalBytes } from '../engine/bytes/equal.js'
import type { ChainKeys } from '../engine/crypto/chain-keys.js'
import type { CryptoProvider } from '../engine/crypto/provider.js'
import { AteError, errorCode } from '../engine/error.js'
import type { BatchBytes, BatchVerifier, LogEnd } from '../engine/log/index.js'
import type { ChainTrust } from '../engine/log/types.js'
import {
  type CompactionHint,
  failureDetail,
  type Opened,
  type Peer,
  type Point,
  proveWriter,
  type PushHandlers,
  type SentContent,
  type SignedHead,
  START,
} from '../sync/index.js'
import type { HeadSigner, PushMap, RequestMap, Writer, WriterProof } from '../sync/index.js'
import { serverKeyId, type Timers } from '../wire/index.js'
import { Arrivals } from './arrivals.js'
import { demandServed } from './served-chain.js'
import { divergence } from './divergence.js'
import { inTime } from './waiters.js'

export const ANSWER_MS = 15_000

export interface SessionOptions {
  peer: Peer
  crypto: CryptoProvider
  /** Name of the chain at the server. */
  chain: string
  keys: ChainKeys
  trust: ChainTrust
  /** Where the local log ends. */
  local: () => LogEnd
  /** The last batch known to be the same on both sides. */
  known: () => LogEnd
  /** The key that the server's heads were signed with before, if any. */
  signer: Uint8Array | null
  /** True when the local log has just this batch. */
  hasBatch: (end: LogEnd) => Promise<boolean>
  /** Sequence of a batch and digest of its link. */
  endOf: (batch: BatchBytes) => LogEnd
  /** Whether a batch is one of the chain's, whatever is here. */
  verify: BatchVerifier
  timers: Timers
  /** Which content comes with the batches. */
  content: SentContent
  /** Keeps batches that follow the local log. */
  receive: (run: readonly BatchBytes[]) => Promise<void>
  events: SessionEvents
}

export interface SessionEvents {
  /** Both sides have everything up to this. */
  same(end: LogEnd): void
  recalled(term: number): void
  accepted(end: LogEnd): Promise<void>
  refused(refused: PushMap['refused']): void
  keyring(keyring: Uint8Array): void
  /** Behind all batches that were pushed before it. */
  head(head: SignedHead, signer: HeadSigner): Promise<void>
  /** The server has shown another history than before. `head`: what it has signed of that. */
  forked(head: SignedHead | null, signer: HeadSigner | undefined): void
  /** Nothing more is taken in. */
  failed(error: unknown): void
}

export class ChainSession {
  readonly peer: Peer
  readonly arrivals: Arrivals
  /** What the server had when it was followed. */
  target: LogEnd
  /** When whoever runs the server wants the chain compacted. */
  compaction: CompactionHint | null = null
  #channel = 0
  #signer: HeadSigner | undefined
  #isProven = false
  /** The last batch known to be the same in the local log and at the server. */
  #common: LogEnd = START
  readonly #options: SessionOptions

  private constructor(options: SessionOptions) {
    this.#options = options
    this.peer = options.peer
    this.target = options.known()
    this.arrivals = new Arrivals({
      isSigned: options.trust === 'distributed',
      take: (run) => this.#take(run),
      onFailure: (error) => options.events.failed(error),
    })
  }

  /** Follows the chain. What it fails with ends the connection, or is told for good. */
  static async begin(options: SessionOptions): Promise<ChainSession> {
    const session = new ChainSession(options)
    try {
      await session.#begin()
      return session
    } catch (error) {
      session.arrivals.end()
      throw error
    }
  }

  get channel(): number {
    return this.#channel
  }

  /** Resolves when everything is taken in that the server has now; for a session also what who has the turn has made. */
  async barrier(timeoutMs: number, session?: Uint8Array): Promise<void> {
    await inTime(this.#options.timers, timeoutMs, this.#barrier(timeoutMs, session))
  }

  async #barrier(timeoutMs: number, session: Uint8Array | undefined): Promise<void> {
    const ask = (everything: Writer | null): Promise<Point> =>
      this.peer.request(this.#channel, 'barrier', { everything }, { timeoutMs })
    if (session === undefined) await ask(null)
    else await this.#asWriter(session, (proof) => ask({ session, proof }))
    await this.arrivals.drained()
  }

  /** Asks for the writer's turn. NOT_AUTHORIZED. */
  async turn(
    request: Omit<RequestMap['turn']['request'], 'proof'>,
    timeoutMs: number,
  ): Promise<RequestMap['turn']['reply']> {
    return await this.#asWriter(request.session, (proof) =>
      this.peer.request(this.#channel, 'turn', { ...request, proof }, { timeoutMs }),
    )
  }

  /** The locks of this client are held on this connection. Gives their lease: another one than `lease` when they were lost. */
  async lease(session: Uint8Array, lease: Uint8Array | null, timeoutMs: number): Promise<RequestMap['lease']['reply']> {
    return await this.#asWriter(session, (proof) =>
      this.peer.request(this.#channel, 'lease', { session, lease, proof }, { timeoutMs }),
    )
  }

  /** That this side has the key of the chain is shown once on a channel. */
  async #asWriter<T>(session: Uint8Array, ask: (proof: WriterProof | null) => Promise<T>): Promise<T> {
    const { peer, crypto, keys } = this.#options
    const { transcript } = peer.connection.agreement
    const proof = this.#isProven ? null : proveWriter(crypto, keys, { chainId: keys.chainId, session, transcript })
    const answer = await ask(proof)
    this.#isProven = true
    return answer
  }

  async leave(timeoutMs: number): Promise<void> {
    await this.peer.request(this.#channel, 'leave', {}, { timeoutMs })
    this.peer.forget(this.#channel)
  }

  end(): void {
    this.arrivals.end()
    this.peer.forget(this.#channel)
  }

  async #begin(): Promise<void> {
    const { local, events } = this.#options
    const known = this.#options.known()
    await this.#open()
    const here = local()
    // A power cut may have taken the end of the local log, and others' batches with it: then nothing says where both are the same.
    this.#common = (await this.#options.hasBatch(known)) ? known : START
    try {
      await this.#follow(here)
      return
    } catch (error) {
      if (errorCode(error) !== 'CHAIN_FORKED') throw error
      if (here.sequence <= this.#common.sequence) {
        events.forked(failureDetail(error)?.head ?? null, this.#signer)
        throw error
      }
    }
    await this.#beginAgain(this.#common)
  }

  /** The server has not what was made here last: where its history is another is seen as its batches come. */
  async #beginAgain({ sequence, digest }: LogEnd): Promise<void> {
    // The server's word on its head, which comes with the end of a channel, is looked at behind its batches.
    this.peer.forget(this.#channel)
    await this.leave(ANSWER_MS)
    await this.#open()
    try {
      await this.#follow({ sequence, digest })
    } catch (error) {
      if (errorCode(error) === 'CHAIN_FORKED')
        this.#options.events.forked(failureDetail(error)?.head ?? null, this.#signer)
      throw error
    }
  }

  async #open(): Promise<void> {
    const { peer, chain, keys, trust } = this.#options
    const known = this.#options.known()
    const opened = await peer.request(0, 'open', { chain }, { timeoutMs: ANSWER_MS })
    demandServed(opened, { chainId: keys.chainId, suite: keys.suite, trust })
    this.#demandSigner(opened)
    if (opened.sequence < known.sequence)
      throw new AteError('CHAIN_ROLLED_BACK', `The server has the chain up to batch ${opened.sequence} only.`, {
        hint: `It had batch ${known.sequence} before: it was set back to an older copy.`,
      })
    this.#channel = opened.channel
    this.#isProven = false
    this.#signer = opened.signer
    peer.listen(opened.channel, { pushes: this.#pushes() })
    this.compaction = opened.compaction
    if (opened.keyring !== null) this.#options.events.keyring(opened.keyring)
  }

  #demandSigner({ signer }: Opened): void {
    const { peer, crypto, signer: before } = this.#options
    const { serverKey } = peer.connection.agreement
    const isAnother =
      (serverKey !== undefined && serverKeyId(crypto, signer) !== serverKey) ||
      (before !== null && !equalBytes(before, signer.publicKey))
    if (isAnother)
      throw new AteError('SERVER_KEY_CHANGED', 'The server signs with another key than the one it should have.')
  }

  async #follow({ sequence, digest }: LogEnd): Promise<void> {
    const { peer, hasBatch, content } = this.#options
    const there = await peer.request(this.#channel, 'follow', { sequence, digest, content }, { timeoutMs: ANSWER_MS })
    this.target = there
    const both = there.sequence < sequence ? there : { sequence, digest }
    if (!(await hasBatch(both))) throw new AteError('CHAIN_FORKED', `The server has another batch ${both.sequence}.`)
    this.#noteSame({ sequence: both.sequence, digest: copyOf(both.digest) })
  }

  #pushes(): PushHandlers {
    const { events } = this.#options
    return {
      batch: (part) => this.arrivals.add(part),
      head: (head) => this.arrivals.afterwards(() => this.#takeHead(head)),
      recall: ({ term }) => events.recalled(term),
      accepted: (end) => this.arrivals.afterwards(() => events.accepted(end)),
      refused: (refused) => events.refused(refused),
      keyring: ({ keyring }) => events.keyring(copyOf(keyring)),
    }
  }

  async #takeHead(head: SignedHead): Promise<void> {
    if (this.#signer !== undefined) await this.#options.events.head(head, this.#signer)
  }

  /** What is here already is only compared. */
  async #take(run: readonly BatchBytes[]): Promise<void> {
    const { local, endOf, hasBatch, receive } = this.#options
    const here = local().sequence
    const last = run.at(-1)
    if (last === undefined) return
    const lastEnd = endOf(last)
    let count = 0
    for (const batch of run) {
      const end = batch === last ? lastEnd : endOf(batch)
      if (end.sequence > here) break
      if (!(await hasBatch(end))) throw await divergence(batch, { ...this.#options, known: this.#common })
      this.#noteSame(end)
      count++
    }
    if (count === run.length) return
    await receive(run.slice(count))
    this.#noteSame(lastEnd)
  }

  #noteSame(end: LogEnd): void {
    if (end.sequence > this.#common.sequence) this.#common = end
    this.#options.events.same(end)
  }
}
