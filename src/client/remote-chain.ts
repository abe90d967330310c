/**
 * A copy of a chain that a server keeps: follows the server, brings it what is committed here, and has the turn to change the
 * chain, or waits for it. See docs/protocol.md, section 8, and for what happens while the server is away docs/guide.md.
 */
import type { WriterStatus } from '../engine/chain/committer.js'
import { inTurn, type WriterTurn } from '../engine/chain/writer-turn.js'
import { AteError, isAteError } from '../engine/error.js'
import { batchVerifier, type LogEnd, type ReceivedBatch } from '../engine/log/index.js'
import type { Peer, PushMap } from '../sync/index.js'
import { systemTimers } from '../wire/index.js'
import { ANSWER_MS, ChainSession } from './chain-session.js'
import { catchUp } from './catch-up.js'
import { ChainTurn } from './chain-turn.js'
import { DroppedSpace } from './dropped-space.js'
import { KnownDigests } from './known-digests.js'
import { isSyncMode } from './recovery-mode.js'
import { away, awayError, batchRefused, isLasting, isPassing, notAccepted, refusal } from './remote-errors.js'
import { LazyBodies } from './lazy-bodies.js'
import { MissingContent } from './missing-content.js'
import { type Following, ReadBarrier } from './read-barrier.js'
import type { RemoteChainOptions, StartOptions } from './remote-chain-options.js'
import type { RemoteStatus } from './remote-status.js'
import { SeenHeads } from './seen-heads.js'
import { StateKeeper } from './state-keeper.js'
import { linkEnd } from './link-end.js'
import { Uploader } from './uploader.js'
import { ignore, inTime, nextTurn, Waiters } from './waiters.js'
import { ACCEPT_MS, LEASE_MS, PATIENCE_MS, TURN_MS } from './waits.js'

export class RemoteChain implements WriterTurn {
  readonly #options: RemoteChainOptions
  readonly #patienceMs: number
  readonly #digests: KnownDigests
  readonly #uploader: Uploader
  readonly #state: StateKeeper
  readonly #heads: SeenHeads
  readonly #turn: ChainTurn
  readonly #space: DroppedSpace
  readonly #missing: MissingContent
  readonly #bodies: LazyBodies[] = []
  readonly #following: Following
  readonly #reads: ReadBarrier
  readonly #acceptWaiters: Waiters
  readonly #startWaiters: Waiters
  readonly #arrivalWaiters: Waiters
  #stopUsing: () => void = () => undefined
  #stopPatience: () => void = () => undefined
  #session: ChainSession | undefined
  /** The connection that is there, or is being begun with. */
  #peer: Peer | undefined
  #head: LogEnd
  /** It was away for longer than anybody waits. */
  #isAway = false
  #failure: AteError | undefined
  #isClosed = false
  readonly #away = (): AteError => awayError(this.#options.recoveryMode, this.#options.link.server)
  readonly #leave = async (): Promise<void> => this.#session?.leave(this.#patienceMs).catch(ignore)

  /** The view is not shared before `start`. */
  constructor(options: RemoteChainOptions) {
    const { source, timers = systemTimers, patienceMs = PATIENCE_MS, head } = options
    const isStrict = isSyncMode(options.recoveryMode)
    this.#options = options
    this.#patienceMs = patienceMs
    this.#head = head
    this.#digests = new KnownDigests(source)
    this.#missing = new MissingContent(options)
    this.#uploader = new Uploader({ ...options, timers, onFailure: (error) => this.#fail(error) })
    this.#state = new StateKeeper(options)
    this.#space = new DroppedSpace({ ...options, timers, state: this.#state })
    this.#heads = new SeenHeads({ ...options, state: this.#state, digests: this.#digests, local: () => this.#head })
    this.#turn = new ChainTurn({
      timers,
      patienceMs,
      leaseMs: isStrict ? (options.leaseMs ?? LEASE_MS) : Infinity,
      flush: options.flush,
      state: this.#state,
      uploader: this.#uploader,
      session: () => this.#session,
      headSequence: () => this.#head.sequence,
      hasBatch: (end) => this.#hasBatch(end),
      demandWhole: () => this.#missing.demandNone(),
      noteServer: (end) => this.#noteServer(end),
      onFull: (error) => this.#acceptWaiters.rejectAll(error),
      broken: (peer, error) => this.#broken(peer, error),
    })
    this.#acceptWaiters = new Waiters(timers)
    this.#startWaiters = new Waiters(timers)
    this.#arrivalWaiters = new Waiters(timers)
    this.#following = {
      link: options.link,
      patienceMs,
      starting: this.#startWaiters,
      isAway: () => this.#isAway,
      session: () => this.#session,
      demandSound: () => this.#demandSound(),
      timers,
    }
    this.#reads = new ReadBarrier({
      ...this.#following,
      isStrict,
      turn: this.#turn,
      missing: this.#missing,
      name: this.#state.session,
      broken: ({ peer }, error) => this.#broken(peer, error),
    })
    if (options.isLazy === true) this.fetchFor(options)
  }

  /** Content that is missing in a copy of this chain is fetched for who reads it there, as long as this is open. */
  fetchFor({ source, view }: Pick<RemoteChainOptions, 'source' | 'view'>): void {
    const bodies = new LazyBodies({ ...this.#options, ...this.#following, source })
    this.#bodies.push(bodies)
    view.fetchWith?.(bodies)
  }

  /**
   * Begins to follow. Resolves when everything is here that the server had, or when it is away (`mayBeAway`). COMMIT_SET_ASIDE
   * (`Diverged`), CHAIN_FORKED, CHAIN_ROLLED_BACK, OTHER_CHAIN, and why the server cannot be reached.
   */
  async start(options: StartOptions = {}): Promise<void> {
    const { timeoutMs = this.#patienceMs, mayBeAway = false, signal } = options
    const { link, view, onProgress } = this.#options
    view.shareWith?.(this)
    this.#space.begin(this.#head.sequence)
    this.#stopUsing = link.use({ connected: (peer) => void this.#connected(peer), lost: (error) => this.#lost(error) })
    if (this.#peer === undefined) this.#lost(link.lastError ?? away(link.server))
    try {
      await link.connection(timeoutMs, signal)
      this.#demandSound()
      if (this.#session === undefined)
        await this.#startWaiters.wait(Math.max(timeoutMs, ANSWER_MS), () => link.lastError ?? away(link.server))
    } catch (error) {
      if (mayBeAway && isPassing(error)) return
      throw error
    }
    const isHere = await catchUp({
      ...this.#following,
      ...options,
      same: () => Math.min(this.#head.sequence, this.#state.server.sequence),
      arrivals: this.#arrivalWaiters,
      onProgress,
    })
    // The batch that drops what is missing may be one of those that were made since.
    if (isHere && this.#missing.isAny) await this.#reads.pass()
  }

  acquire(): Promise<void> | undefined {
    if (this.#failure !== undefined) return Promise.reject(refusal(this.#failure))
    if (this.#isClosed) return Promise.reject(new AteError('CHAIN_CLOSED', 'The chain is closed.'))
    if (this.isCurrent()) return undefined
    if (this.#turn.isHeld) return this.#turn.confirm()
    const isOffline = this.#peer === undefined
    if (isOffline && this.#options.recoveryMode === 'async') return undefined
    if (isOffline && this.#isAway && this.#options.recoveryMode !== 'sync') return Promise.reject(this.#away())
    if (isOffline) return this.#turn.wait(this.#patienceMs, () => this.#away())
    return this.#turn.wait(TURN_MS, () => new AteError('TIMED_OUT', 'Others did not give the turn in time.'))
  }

  onAppended({ headSequence: sequence, headDigest: digest }: WriterStatus): void {
    if (sequence === this.#head.sequence) return
    this.#head = { sequence, digest }
    this.#digests.note(this.#head)
    this.#uploader.noteAppended(sequence)
  }

  hold(): () => void {
    return this.#turn.hold()
  }

  onDropped(sequence: number): void {
    this.#space.note(sequence)
  }

  onReceived(run: readonly ReceivedBatch[]): void {
    this.#missing.note(run)
    const last = run.findLast(({ dropped }) => dropped.length > 0)
    if (last !== undefined) this.#space.note(last.sequence)
  }

  async giveBack(): Promise<number> {
    await this.accepted()
    // Of distributed trust a server gives nothing back: it cannot judge what is dropped, and who tells it may be anybody.
    if (this.#options.trust === 'distributed') return await this.#space.free()
    await this.#space.tell((ask) =>
      inTurn(this, () => {
        if (this.#session === undefined) throw notAccepted()
        return ask(this.#session, this.#state.term)
      }),
    )
    return await this.#space.free()
  }

  /** Resolves when the server has everything that is in the local log now. TIMED_OUT, NO_SPACE, COMMIT_SET_ASIDE, CHAIN_CLOSED. */
  async accepted(): Promise<void> {
    const { sequence } = this.#head
    this.#uploader.hurry()
    while (this.#state.server.sequence < sequence) {
      this.#demandSound()
      await this.#acceptWaiters.wait(this.#peer === undefined ? this.#patienceMs : ACCEPT_MS, notAccepted)
    }
  }

  /** Resolves when all that was changed here is on its way to the server. While that is away it does not. */
  async brought(): Promise<void> {
    await this.#options.flush()
    if (this.#head.sequence > this.#state.server.sequence) await this.#uploader.sent(this.#head.sequence)
  }

  /** Nobody else can have committed anything: this side has the turn. In the strict modes only as long as that is certain. */
  isCurrent(): boolean {
    return this.#turn.isCertain()
  }

  /** As `ReadBarrier.refresh`. */
  refresh({ everything = false } = {}): Promise<void> {
    return this.#reads.refresh(everything)
  }

  status(): RemoteStatus {
    const { link, chain, recoveryMode } = this.#options
    const problem = this.#failure ?? (this.#session === undefined ? link.lastError : undefined)
    return {
      server: link.server,
      chain,
      recoveryMode,
      isConnected: this.#session !== undefined,
      hasTurn: this.#turn.isHeld,
      compaction: this.#session?.compaction ?? undefined,
      headSequence: this.#head.sequence,
      serverSequence: this.#state.server.sequence,
      problem: problem === undefined ? undefined : { code: problem.code, message: problem.message },
    }
  }

  /** Brings the server what it lacks, for a bounded time, gives the turn back, and lets go. The link stays. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    try {
      if (this.#session !== undefined && this.#failure === undefined) {
        await this.#options.flush()
        await inTime(this.#following.timers, this.#patienceMs, this.accepted()).catch(ignore)
        await this.#leave()
        if (this.#state.server.sequence >= this.#head.sequence) this.#state.noteTerm(0)
      }
    } finally {
      this.#isClosed = true
      this.#stopUsing()
      this.#endSession()
      this.#refuseAll(new AteError('CHAIN_CLOSED', 'The chain is closed.'))
      for (const bodies of this.#bodies) await bodies.close()
      await this.#uploader.close()
      await this.#space.close()
      await this.#state.close()
    }
  }

  /** Throws the failure itself: who opens looks what it is. */
  #demandSound(): void {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#isClosed) throw new AteError('CHAIN_CLOSED', 'The chain is closed.')
  }

  async #connected(peer: Peer): Promise<void> {
    this.#peer = peer
    this.#stopPatience()
    this.#isAway = false
    try {
      // What was changed on the way here, or without the server, is in the log before it is compared.
      await nextTurn(this.#following.timers)
      await this.#options.flush()
      const session = await this.#begin(peer)
      if (!this.#isCurrent(peer)) {
        session.end()
        return
      }
      this.#session = session
      this.#options.locks?.connected(session, this.#state.session)
      this.#startWaiters.resolveAll()
      const isBehind =
        this.#head.sequence > this.#state.server.sequence && session.target.sequence <= this.#head.sequence
      if (isBehind || this.#state.term > 0) await this.#turn.ask(session)
      else this.#turn.askSoon()
    } catch (error) {
      this.#broken(peer, error)
    }
  }

  #begin(peer: Peer): Promise<ChainSession> {
    const { crypto, chain, source, trust, receive, onKeyring = ignore } = this.#options
    const { keys } = source
    return ChainSession.begin({
      peer,
      crypto,
      chain,
      keys,
      trust,
      local: () => this.#head,
      known: () => this.#state.server,
      signer: this.#state.signer,
      hasBatch: (end) => this.#hasBatch(end),
      endOf: (batch) => linkEnd(crypto, batch),
      verify: batchVerifier(crypto, keys, trust),
      timers: this.#following.timers,
      content: this.#options.isLazy === true ? 'none' : 'all',
      receive,
      events: {
        same: (end) => this.#noteServer(end),
        recalled: (term) => this.#turn.recall(term),
        accepted: (end) => this.#takeAccepted(end),
        refused: (refused) => this.#refused(peer, refused),
        keyring: onKeyring,
        head: (head, signer) => this.#heads.take(head, signer),
        forked: (head, signer) => this.#heads.tellFork(head, signer),
        failed: (error) => this.#broken(peer, error),
      },
    })
  }

  #lost(error: AteError): void {
    this.#peer = undefined
    this.#endSession()
    if (this.#isClosed || this.#failure !== undefined) return
    if (!isPassing(error)) this.#startWaiters.rejectAll(error)
    if (this.#options.recoveryMode === 'async') this.#turn.resolveWaiting()
    this.#stopPatience()
    this.#stopPatience = this.#following.timers.after(this.#patienceMs, () => {
      this.#isAway = true
      this.#turn.rejectWaiting(this.#away())
      this.#acceptWaiters.rejectAll(notAccepted())
    })
  }

  #endSession(): void {
    this.#session?.end()
    this.#session = undefined
    this.#options.locks?.disconnected(this.#failure !== undefined)
    this.#uploader.pause()
    this.#turn.end()
  }

  #isCurrent(peer: Peer): boolean {
    return this.#peer === peer && !this.#isClosed && this.#failure === undefined
  }

  /** Something is wrong with the chain or the server, or only with this connection. */
  #broken(peer: Peer, error: unknown): void {
    if (!this.#isCurrent(peer)) return
    if (isLasting(error)) this.#fail(error)
    else void peer.close(isAteError(error) ? error : undefined)
  }

  #fail(cause: unknown): void {
    if (this.#failure !== undefined) return
    const error = isAteError(cause) ? cause : new AteError('INPUT_OUTPUT', 'The chain cannot be followed.', { cause })
    this.#failure = error
    this.#stopUsing()
    this.#stopPatience()
    void this.#leave()
    this.#endSession()
    this.#refuseAll(error)
    this.#options.onFailure?.(error)
  }

  #refuseAll(error: AteError): void {
    this.#stopPatience()
    this.#turn.rejectWaiting(error)
    this.#acceptWaiters.rejectAll(error)
    this.#startWaiters.rejectAll(error)
  }

  async #hasBatch(end: LogEnd): Promise<boolean> {
    return this.#head.sequence >= end.sequence && (await this.#digests.has(end))
  }

  async #takeAccepted(end: LogEnd): Promise<void> {
    if (end.sequence <= this.#state.server.sequence) return
    if (!(await this.#hasBatch(end)))
      throw new AteError('CHAIN_FORKED', `The server says to have taken another batch ${end.sequence}.`)
    this.#noteServer(end)
  }

  #noteServer(end: LogEnd): void {
    if (end.sequence < this.#state.server.sequence) return
    this.#state.noteServer(end)
    this.#space.freeSoon()
    this.#acceptWaiters.resolveAll()
    this.#arrivalWaiters.resolveAll()
  }

  /** The turn is over, and the batch is not taken: connecting again tells whether others have gone on. A full server says it. */
  #refused(peer: Peer, { term, code, sequence, message }: PushMap['refused']): void {
    if (term !== this.#state.term) return
    this.#state.noteTerm(0)
    if (code === 'BATCH_REFUSED' || code === 'BAD_SIGNATURE') this.#fail(batchRefused(code, sequence, message))
    else if (code === 'NO_SPACE') this.#turn.full()
    else void peer.close()
  }
}
