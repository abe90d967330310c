/** One connection: opens chains for it, and ends what it did when it is gone. */
import { AteError } from '../engine/error.js'
import { type CompactionHint, MAX_CHANNELS, type Opened, Peer, type RequestMap } from '../sync/index.js'
import { MAX_LISTED_CHAINS } from '../sync/limits.js'
import { type Connection, parseChainUrl, type PublicKey, type Timers } from '../wire/index.js'
import { ChainChannel } from './chain-channel.js'
import type { ChainHost } from './chain-host.js'
import { HeldBytes } from './held-bytes.js'
import type { HostedChain } from './hosted-chain.js'
import type { ServerLimits, Wish } from './options.js'
import { Rate } from './rate.js'
import type { ServerMemory } from './server-memory.js'

/** So many turns may one connection ask for without having the key of the chain. */
const MAX_UNPROVEN = 8

const MAX_CREATING = 8
/** In requests: what is made or looked at on the medium. */
const COST = { open: 5, create: 200, list: 100 } as const

export interface SessionOptions {
  readonly memory: ServerMemory
  readonly host: ChainHost
  readonly signer: PublicKey
  readonly compaction: CompactionHint | null
  readonly timers: Timers
  readonly limits: ServerLimits
  readonly admit: (wish: Wish) => void | Promise<void>
}

export class ServerSession {
  readonly peer: Peer
  readonly #options: SessionOptions
  readonly #service: string
  readonly #channels = new Map<number, { channel: ChainChannel; chain: HostedChain }>()
  readonly #requests: Rate
  readonly #held: HeldBytes
  #lastChannel = 0
  /** Chains that are being made. */
  #creating = 0
  /** Channels that are being opened. */
  #opening = 0
  /** Times that somebody asked for a turn without having the chain's key. */
  #unproven = 0
  #hasEnded = false

  constructor(options: SessionOptions, connection: Connection, service: string) {
    this.#options = options
    this.#service = service
    this.#requests = new Rate(options.timers, options.limits.requestsPerSecond)
    this.#held = new HeldBytes(options.limits.waitingBytes, options.memory)
    this.peer = new Peer(connection, options.timers)
    this.peer.listen(0, {
      requests: {
        open: ({ chain }) => this.#open(chain),
        create: (body) => this.#create(body),
        list: (body) => this.#list(body),
      },
    })
    options.memory.connections++
    void this.peer.closed.then(() => this.#end())
  }

  get channels(): number {
    return this.#channels.size
  }

  async #open(chain: string): Promise<Opened> {
    await this.#demand('open', chain)
    return await this.#openChannel(this.#nameOf(chain))
  }

  async #create({ chain, ...made }: RequestMap['create']['request']): Promise<Opened> {
    // Each holds a keyring.
    if (this.#creating >= MAX_CREATING)
      throw new AteError('LAGGED', `A connection makes at most ${MAX_CREATING} chains at the same time.`)
    this.#creating++
    try {
      await this.#demand('create', chain)
      const name = this.#nameOf(chain)
      await this.#options.host.create(name, made)
      return await this.#openChannel(name)
    } finally {
      this.#creating--
    }
  }

  async #list({ after }: RequestMap['list']['request']): Promise<RequestMap['list']['reply']> {
    await this.#demand('list', '')
    const prefix = this.#service === '' ? '' : `${this.#service}/`
    return await this.#options.host.list(after, prefix, MAX_LISTED_CHAINS)
  }

  async #demand(kind: Wish['kind'], chain: string): Promise<void> {
    await this.#requests.take(COST[kind])
    await this.#options.admit({ kind, chain, connection: this.peer.connection })
  }

  async #openChannel(name: string): Promise<Opened> {
    const { host, signer, compaction } = this.#options
    if (this.#channels.size + this.#opening >= MAX_CHANNELS)
      throw new AteError('BAD_ARGUMENT', `A connection has at most ${MAX_CHANNELS} chains open.`)
    this.#opening++
    let chain: HostedChain
    try {
      chain = await host.take(name)
    } finally {
      this.#opening--
    }
    if (this.#hasEnded) {
      host.letGo(chain)
      throw new AteError('CHAIN_CLOSED', 'The connection has ended.')
    }
    const number = ++this.#lastChannel
    this.#add(number, chain)
    const { suite, publicKey } = signer
    const { point, keyring, facts } = chain
    return { channel: number, ...facts, keyring, signer: { suite, publicKey }, compaction, ...point }
  }

  #add(number: number, chain: HostedChain): void {
    const { timers, limits } = this.#options
    const channel = new ChainChannel({
      chain,
      peer: this.peer,
      channel: number,
      requests: this.#requests,
      bytes: new Rate(timers, limits.bytesPerSecond),
      held: this.#held,
      timers,
      turnWaitMs: limits.turnWaitMs,
      graceMs: limits.graceMs,
      onLeave: () => this.#remove(number),
      onUnproven: () => this.#noteUnproven(),
    })
    this.#channels.set(number, { channel, chain })
    this.peer.listen(number, channel.handlers)
  }

  #noteUnproven(): void {
    if (++this.#unproven < MAX_UNPROVEN) return
    void this.peer.close(new AteError('NOT_AUTHORIZED', 'Too many turns were asked for without the key of the chain.'))
  }

  #remove(number: number): void {
    const left = this.#channels.get(number)
    if (left === undefined) return
    this.#channels.delete(number)
    this.peer.forget(number)
    this.#options.host.letGo(left.chain)
  }

  #end(): void {
    this.#hasEnded = true
    this.#options.memory.connections--
    for (const [number, { channel }] of [...this.#channels]) {
      channel.end()
      this.#remove(number)
    }
  }

  /** Names are those of directories: what leads elsewhere is refused (BAD_ARGUMENT). */
  #nameOf(chain: string): string {
    const name = parseChainUrl('ws://server', chain).chain
    return this.#service === '' ? name : `${this.#service}/${name}`
  }
}
