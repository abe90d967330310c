/** A channel: what one connection does with one chain. */
import { copyOf } from '../engine/bytes/copy.js'
import { AteError, isAteError } from '../engine/error.js'
import type { BatchBytes } from '../engine/log/index.js'
import { TaskQueue } from '../engine/log/task-queue.js'
import { ProofRun } from '../engine/log/proof-runs.js'
import { equalBytes } from '../engine/bytes/equal.js'
import {
  BatchJoiner,
  type BatchPart,
  type ChannelHandlers,
  failure,
  type Peer,
  type Point,
  type PushMap,
  type PushType,
  type RequestMap,
  type Writer,
} from '../sync/index.js'
import { MAX_FAILURE_LENGTH } from '../sync/limits.js'
import { Follower } from './follower.js'
import type { HeldBytes } from './held-bytes.js'
import type { ChainUser, HostedChain } from './hosted-chain.js'
import { lockHandlers } from './locks/lock-handlers.js'
import { PartTime } from './part-time.js'
import type { Rate } from './rate.js'
import type { Asker } from './turns.js'
import type { Timers } from '../wire/index.js'

/** Sessions of a channel that need not show a proof again. */
const MAX_PROVEN = 8
/** In requests: a signature is verified, the log is looked through. */
const PROOF_COST = 50
const FOLLOW_COST = 20
const DROP_COST = 50
const BODIES_COST = 5
/** A request, in what is read of the log to find a batch. */
const LOOKED_THROUGH_BYTES = 32 * 1024

export interface ChainChannelOptions {
  readonly chain: HostedChain
  readonly peer: Peer
  readonly channel: number
  readonly requests: Rate
  readonly bytes: Rate
  /** Shared by all channels of the connection. */
  readonly held: HeldBytes
  readonly timers: Timers
  /** How long somebody waits to be given what he has to have before the turn. */
  readonly turnWaitMs: number
  /** In which who brings a batch goes on with it, when memory is scarce. */
  readonly graceMs: number
  /** It has ended, by its own will. */
  readonly onLeave: () => void
  /** Its turn was asked for by who has not shown to have its key. */
  readonly onUnproven: () => void
}

export class ChainChannel implements ChainUser, Asker {
  follower: Follower | undefined
  readonly handlers: ChannelHandlers
  readonly #options: ChainChannelOptions
  readonly #joiner: BatchJoiner
  readonly #run = new ProofRun()
  /** Of what is being joined. */
  #runTerm = 0
  #runBytes = 0
  readonly #partTime: PartTime
  #refusedTerm = 0
  #isFollowing = false
  /** Sessions that have shown to have the key of the chain: a few, the latest first. */
  #proven: Uint8Array[] = []
  #hasEnded = false
  readonly #bodies = new TaskQueue()

  constructor(options: ChainChannelOptions) {
    this.#options = options
    const { chain, timers, graceMs, held } = options
    this.#joiner = new BatchJoiner({ mayMiss: false, take: (length) => chain.batchMemory.take(length) })
    this.#partTime = new PartTime({ timers, graceMs, isScarce: () => held.isScarce, onLate: () => this.#endLate() })
    const limited =
      <T, R>(answer: (body: T) => R | Promise<R>, cost = 1) =>
      async (body: T): Promise<R> => {
        await options.requests.take(cost)
        if (this.#hasEnded) throw new AteError('CHAIN_CLOSED', 'The channel has ended.')
        return await answer(body)
      }
    this.handlers = {
      requests: {
        follow: limited((body: RequestMap['follow']['request']) => this.#follow(body), FOLLOW_COST),
        bodies: limited(
          (body: RequestMap['bodies']['request']) => this.#bodies.run(() => this.#sendBodies(body)),
          BODIES_COST,
        ),
        barrier: limited((body: RequestMap['barrier']['request']) => this.#barrier(body)),
        turn: limited((body: RequestMap['turn']['request']) => this.#turn(body)),
        release: ({ term }) => this.#release(term),
        drop: this.#inTurn(limited((body: RequestMap['drop']['request']) => this.#drop(body), DROP_COST)),
        keyring: this.#inTurn(limited((body: RequestMap['keyring']['request']) => this.#changeKeyring(body))),
        leave: () => this.#leave(),
        ...lockHandlers(options.chain, this, { limited, demand: (writer) => this.#demandWriter(writer) }),
      },
      pushes: { batch: (part) => this.#takePart(part) },
    }
    options.chain.users.add(this)
  }

  /** The connection is gone. */
  end(): void {
    this.#finish(false)
  }

  recall(term: number): void {
    this.#push('recall', { term })
  }

  lost(term: number, why: AteError): void {
    void this.#tellLost(term, why)
  }

  accepted({ sequence, digest }: Point): void {
    this.#push('accepted', { sequence, digest })
  }

  refused(term: number, sequence: number, why: AteError): void {
    if (term === this.#runTerm) this.#reset(0)
    this.#tellRefused(term, sequence, why)
    this.#options.chain.turns.forfeit(this, term, why)
  }

  keyringChanged(keyring: Uint8Array): void {
    this.#push('keyring', { keyring })
  }

  failed(): void {
    const why = new AteError('INPUT_OUTPUT', 'The storage of the chain failed.')
    void this.#options.peer.close(why)
  }

  async #follow({ content = 'all', ...point }: RequestMap['follow']['request']): Promise<Point> {
    const { chain, peer, channel } = this.#options
    if (this.#isFollowing) throw new AteError('BAD_ARGUMENT', 'The channel follows already.')
    this.#isFollowing = true
    try {
      await this.#demandHistory(point)
    } catch (error) {
      this.#isFollowing = false
      throw error
    }
    if (this.#hasEnded) throw new AteError('CHAIN_CLOSED', 'The channel has ended.')
    const from = Math.min(point.sequence, chain.point.sequence)
    const onFailure = (error: unknown): void => void peer.close(isAteError(error) ? error : undefined)
    const follower = new Follower({ chain, peer, channel, from, content, onFailure })
    this.follower = follower
    // Behind the answer.
    setTimeout(() => follower.wake(), 0)
    chain.heads.note()
    return chain.point
  }

  /** One after another, and none before there is room for it. */
  async #sendBodies({ sequence, numbers }: RequestMap['bodies']['request']): Promise<RequestMap['bodies']['reply']> {
    const { chain, peer } = this.#options
    await peer.ready(chain.eagerBytes)
    const bodies = await chain.bodies(sequence, numbers, (bytes) => this.#payLook(bytes))
    chain.noteBodies(bodies)
    return { bodies }
  }

  /** CHAIN_FORKED, with the signed head, when the chain has another batch there than who asks. */
  async #demandHistory(point: Point): Promise<void> {
    const { chain } = this.#options
    if (point.sequence > chain.point.sequence || (await this.#has(point))) return
    const head = await chain.heads.current()
    throw failure('CHAIN_FORKED', `The chain has another batch ${point.sequence}.`, { head })
  }

  async #has(point: Point): Promise<boolean> {
    const { chain } = this.#options
    if (point.sequence === chain.point.sequence) return equalBytes(point.digest, chain.point.digest)
    return await chain.has(point, (bytes) => this.#payLook(bytes))
  }

  /** Whoever is gone is not looked for any more. CHAIN_CLOSED. */
  async #payLook(bytes: number): Promise<void> {
    await this.#options.requests.take(Math.floor(bytes / LOOKED_THROUGH_BYTES))
    if (this.#hasEnded) throw new AteError('CHAIN_CLOSED', 'The channel has ended.')
  }

  async #barrier({ everything = null }: RequestMap['barrier']['request']): Promise<Point> {
    const { chain } = this.#options
    if (everything !== null) {
      await this.#demandWriter(everything)
      await chain.turns.givenBack(this)
    }
    const { point } = chain
    await this.follower?.reached(point.sequence)
    return point
  }

  async #turn(request: RequestMap['turn']['request']): Promise<Point & { term: number }> {
    const { session, term, sequence, digest } = request
    const { chain } = this.#options
    await this.#demandWriter(request)
    await this.#demandHistory({ sequence, digest })
    // Nobody waits for the turn of one who is still being sent what there is; but who comes back to his own has it already.
    if (!chain.turns.isOf(session, term)) await this.#sentUpTo(chain.point.sequence)
    if (this.#hasEnded) throw new AteError('CHAIN_CLOSED', 'The channel has ended.')
    const given = await chain.turns.ask(this, session, term)
    const { point } = chain
    chain.turns.noteTold(this, given, false)
    await this.follower?.reached(point.sequence)
    chain.turns.noteTold(this, given, true)
    return { term: given, ...point }
  }

  /** NOT_AUTHORIZED, for the first time on this channel that the session is named: then it is known. */
  async #demandWriter({ session, proof }: Writer): Promise<void> {
    const { chain, peer, requests, onUnproven } = this.#options
    if (this.#proven.some((known) => equalBytes(known, session))) return
    if (proof !== null) {
      await requests.take(PROOF_COST)
      const { transcript } = peer.connection.agreement
      if (await chain.writers.admits(proof, { chainId: chain.facts.id, session, transcript })) {
        this.#proven = [copyOf(session), ...this.#proven].slice(0, MAX_PROVEN)
        return
      }
    }
    onUnproven()
    throw new AteError('NOT_AUTHORIZED', 'That is only for those who have the key of the chain.')
  }

  /** TIMED_OUT when he does not read it in time. */
  async #sentUpTo(sequence: number): Promise<void> {
    const { timers, turnWaitMs } = this.#options
    const late = new AteError('TIMED_OUT', 'What there is was not read in time.')
    let stop: () => void = () => undefined
    const timeOut = new Promise<never>((_, reject) => (stop = timers.after(turnWaitMs, () => reject(late))))
    await Promise.race([this.follower?.reached(sequence), timeOut]).finally(() => stop())
  }

  async #release(term: number): Promise<Record<string, never>> {
    const isOver = !(await this.#options.chain.turns.release(this, term))
    if (term === this.#runTerm) this.#reset(0)
    if (isOver) throw new AteError('LOCK_LOST', `The turn of term ${term} is over.`)
    return {}
  }

  async #drop({ term, numbers, upTo }: RequestMap['drop']['request']): Promise<RequestMap['drop']['reply']> {
    const { chain } = this.#options
    // There no batch may drop anything: everybody could make the server forget what others wrote.
    if (chain.facts.trust === 'distributed')
      throw new AteError('NOT_SUPPORTED', 'Nothing is dropped in a chain of distributed trust.')
    this.#demandTurn(term)
    await chain.uploads.settled()
    const ranges = numbers.map(([from, to]) => ({ from, to })).sort((a, b) => a.from - b.from)
    if (ranges.some(({ from }, i) => from <= (ranges[i - 1]?.to ?? -1)))
      throw new AteError('BAD_ARGUMENT', 'Ranges of numbers overlap.')
    if (upTo > chain.durableSequence) throw new AteError('BAD_ARGUMENT', `The chain has no batch ${upTo}.`)
    return { upTo: await chain.drop(ranges, upTo) }
  }

  async #changeKeyring({ term, keyring }: RequestMap['keyring']['request']): Promise<Record<string, never>> {
    this.#demandTurn(term)
    await this.#options.chain.changeKeyring(keyring, this, () => this.#demandTurn(term))
    return {}
  }

  async #leave(): Promise<Record<string, never>> {
    const { chain, peer, channel } = this.#options
    await chain.uploads.settled()
    const head = await chain.heads.current()
    // Only to who knows what it speaks of.
    if (!this.#hasEnded && this.follower !== undefined) peer.push(channel, 'head', head)
    this.#finish(true)
    this.#options.onLeave()
    return {}
  }

  async #takePart({ bytes, more, term }: BatchPart): Promise<void> {
    const { chain } = this.#options
    if (!chain.turns.isHeldBy(this, term)) {
      this.#refuseLate(term)
      return
    }
    chain.turns.noteWrite(bytes.length)
    if (term !== this.#runTerm) this.#reset(term)
    let batch: BatchBytes | undefined
    try {
      this.#options.held.assemble(bytes.length)
      this.#runBytes += bytes.length
      this.#partTime.note(bytes.length)
      batch = this.#joiner.add(bytes, more)
    } catch (error) {
      if (!isAteError(error) || !(error.code === 'BATCH_REFUSED' || error.code === 'LAGGED')) throw error
      this.#forfeit(term, error)
      return
    }
    await Promise.all([
      batch === undefined ? undefined : this.#takeBatch(batch, term),
      this.#options.bytes.take(bytes.length),
    ])
  }

  async #takeBatch(batch: BatchBytes, term: number): Promise<void> {
    const { chain, held } = this.#options
    const run = chain.facts.trust === 'distributed' ? this.#run.add(batch) : [batch]
    if (run === undefined) return
    const bytes = this.#runBytes
    this.#runBytes = 0
    this.#partTime.end()
    held.bring(bytes)
    await Promise.all([
      chain.uploads.add({ run, bytes, term, by: this, onTaken: () => held.taken(bytes) }),
      held.room(),
    ])
  }

  #endLate(): void {
    this.#forfeit(this.#runTerm, new AteError('LAGGED', 'A batch came too slowly for what this server has to hold.'))
  }

  #forfeit(term: number, why: AteError): void {
    this.#options.chain.turns.forfeit(this, term, why)
    void this.#tellLost(term, why)
  }

  /** What still comes of a turn that is over: told once. */
  #refuseLate(term: number): void {
    this.#reset(0)
    if (term <= this.#refusedTerm) return
    void this.#tellLost(term, new AteError('LOCK_LOST', 'The turn is over.'))
  }

  /** Behind what was brought before: that is taken still. */
  async #tellLost(term: number, why: AteError): Promise<void> {
    this.#refusedTerm = term
    if (term === this.#runTerm) this.#reset(0)
    const { chain } = this.#options
    await chain.uploads.settled()
    this.#tellRefused(term, chain.durableSequence + 1, why)
  }

  #tellRefused(term: number, sequence: number, { code, message }: AteError): void {
    this.#refusedTerm = term
    this.#options.chain.noteRefused()
    this.#push('refused', { term, sequence, code, message: message.slice(0, MAX_FAILURE_LENGTH) })
  }

  #reset(term: number): void {
    this.#joiner.reset()
    this.#run.take()
    this.#options.held.forget(this.#runBytes)
    this.#runTerm = term
    this.#runBytes = 0
    this.#partTime.end()
  }

  /** Asked before anything is waited for: what others send is not held. */
  #inTurn<T extends { readonly term: number }, R>(answer: (body: T) => Promise<R>): (body: T) => Promise<R> {
    return async (body) => {
      this.#demandTurn(body.term)
      return await answer(body)
    }
  }

  #demandTurn(term: number): void {
    if (!this.#options.chain.turns.isHeldBy(this, term))
      throw new AteError('LOCK_LOST', 'Only who has the turn may do that.')
  }

  #finish(isForGood: boolean): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#reset(0)
    this.follower?.end()
    const { chain } = this.#options
    chain.users.delete(this)
    chain.turns.leave(this, isForGood)
    chain.locks.table.leave(this, isForGood)
  }

  /** Somebody who does not read even that is sent away. */
  #push<T extends PushType>(type: T, body: PushMap[T]): void {
    if (this.#hasEnded) return
    try {
      this.#options.peer.push(this.#options.channel, type, body)
    } catch (error) {
      void this.#options.peer.close(isAteError(error) ? error : undefined)
    }
  }
}
