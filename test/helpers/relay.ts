/**
 * A server of chains in memory that speaks the messages of `docs/protocol.md`, section 8, and does what a test tells it to: it
 * believes everything, so that it can be made to lie. `src/server` has the real one.
 */
import { nativeCrypto as crypto } from '../../src/adapters/node/native-crypto.js'
import { linkEnd } from '../../src/client/link-end.js'
import { LABELS } from '../../src/engine/crypto/labels.js'
import { verify } from '../../src/engine/crypto/signature.js'
import { AteError, type ErrorCode } from '../../src/engine/error.js'
import { batchItemPieces, type BatchBytes, type LogEnd } from '../../src/engine/log/index.js'
import { decodeBatch } from '../../src/engine/log/received-batch.js'
import {
  BatchJoiner,
  batchParts,
  failure,
  Peer,
  type Point,
  signHead,
  START,
  writerDigest,
} from '../../src/sync/index.js'
import type { Opened, PushHandlers, RequestHandlers, RequestMap } from '../../src/sync/index.js'
import { accept, memoryTransports, type Transport } from '../../src/wire/index.js'
import { identity } from './wire.js'

export interface Kept {
  end: LogEnd
  bytes: BatchBytes
}

interface Holder {
  readonly session: string
  readonly term: number
  member: Member | undefined
}

interface Asking {
  readonly member: Member
  readonly session: string
  readonly give: (term: number) => void
}

/** A channel of a client. */
interface Member {
  readonly peer: Peer
  readonly channel: number
  /** Sequence of the last batch that was pushed or brought; undefined: it does not follow. */
  sent: number | undefined
  /** It has shown to have the key of the chain. */
  isProven: boolean
}

export class RelayChain {
  batches: Kept[] = []
  holder: Holder | undefined
  term = 0
  readonly asking: Asking[] = []
  readonly members = new Set<Member>()
  keyring: Uint8Array | null
  readonly made: RequestMap['create']['request']

  constructor(made: RequestMap['create']['request']) {
    this.made = made
    this.keyring = made.keyring
  }

  get end(): Point {
    return this.batches.at(-1)?.end ?? START
  }

  pointAt(sequence: number): Point | undefined {
    return sequence === 0 ? START : this.batches[sequence - 1]?.end
  }
}

export class Relay {
  readonly chains = new Map<string, RelayChain>()
  readonly peers = new Set<Peer>()
  /** Nobody can connect. */
  isAway = false
  /** How long a turn is kept for a connection that is lost. */
  keepMs = 10_000
  /** Says no more than what it is asked about. */
  acceptsNothing = false
  /** What it refuses every batch with. */
  refusesWith: ErrorCode | undefined
  #channels = 0

  /** What a client dials with. */
  readonly dial = (): Promise<Transport> => {
    if (this.isAway) return Promise.reject(new AteError('CONNECTION_FAILED', 'Nobody answers.'))
    const [here, there] = memoryTransports()
    this.accept(there)
    return Promise.resolve(here)
  }

  /** Serves whoever is there. */
  accept(transport: Transport): void {
    void accept(transport, { crypto, identity, encryption: 0 }).then(
      (connection) => this.#serve(new Peer(connection)),
      () => undefined,
    )
  }

  /** All connections are lost. */
  cut(): void {
    for (const peer of this.peers) void peer.close(new AteError('CONNECTION_LOST', 'The test cuts it.'))
  }

  #serve(peer: Peer): void {
    this.peers.add(peer)
    void peer.closed.then(() => {
      this.peers.delete(peer)
      for (const chain of this.chains.values())
        for (const member of chain.members) if (member.peer === peer) this.#gone(chain, member)
    })
    peer.listen(0, {
      requests: {
        open: ({ chain }) => {
          const found = this.chains.get(chain)
          if (found === undefined)
            throw failure('CHAIN_NOT_FOUND', `There is no chain ${chain}.`, { trust: 'centralized' })
          return this.#opened(peer, found)
        },
        create: (made) => {
          if (this.chains.has(made.chain)) throw new AteError('CHAIN_EXISTS', 'It is there.')
          const chain = new RelayChain(made)
          this.chains.set(made.chain, chain)
          return this.#opened(peer, chain)
        },
      },
    })
  }

  #opened(peer: Peer, chain: RelayChain): Opened {
    const member: Member = { peer, channel: ++this.#channels, sent: undefined, isProven: false }
    chain.members.add(member)
    peer.listen(member.channel, { requests: this.#requests(chain, member), pushes: this.#pushes(chain, member) })
    const { id, suite, trust } = chain.made
    const signer = { suite: identity.suite, publicKey: identity.publicKey }
    return { channel: member.channel, id, suite, trust, keyring: chain.keyring, signer, compaction: null, ...chain.end }
  }

  #requests(chain: RelayChain, member: Member): RequestHandlers {
    return {
      follow: async ({ sequence, digest }) => {
        const there = chain.pointAt(sequence)
        if (there !== undefined && Buffer.compare(there.digest, digest) !== 0) {
          const head = await signHead(crypto, identity, chain.made.id, chain.end, Date.now())
          throw failure('CHAIN_FORKED', 'It has another history.', { head })
        }
        member.sent = sequence
        queueMicrotask(() => this.push(chain))
        return chain.end
      },
      barrier: () => chain.end,
      turn: (request) => {
        if (!this.#isWriter(chain, member, request)) throw new AteError('NOT_AUTHORIZED', 'He has not the key.')
        return new Promise((resolve) => {
          const session = Buffer.from(request.session).toString('hex')
          const give = (term: number): void => {
            chain.holder = { session, term, member }
            this.push(chain)
            resolve({ term, ...chain.end })
          }
          if (chain.holder?.session === session) {
            give(chain.holder.term)
            return
          }
          chain.asking.push({ member, session, give })
          this.#next(chain)
        })
      },
      release: ({ term }) => {
        if (chain.holder?.term === term) this.#free(chain)
        return {}
      },
      leave: () => {
        if (chain.holder?.member === member) this.#free(chain)
        this.#gone(chain, member)
        return {}
      },
    }
  }

  #isWriter({ made }: RelayChain, member: Member, { session, proof }: RequestMap['turn']['request']): boolean {
    const { transcript } = member.peer.connection.agreement
    const digest = writerDigest(crypto, { chainId: made.id, session, transcript })
    member.isProven ||=
      proof !== null && verify(made.writer.suite, made.writer.publicKey, LABELS.writerTurn, digest, proof.signature)
    return member.isProven
  }

  #pushes(chain: RelayChain, member: Member): PushHandlers {
    const joiner = new BatchJoiner()
    return {
      batch: ({ bytes, more, term }) => {
        const batch = joiner.add(bytes.slice(), more)
        if (batch === undefined) return
        const end = linkEnd(crypto, batch)
        const isNext = chain.holder?.term === term && end.sequence === chain.end.sequence + 1
        const code = isNext ? this.refusesWith : 'LOCK_LOST'
        if (code !== undefined) {
          member.peer.push(member.channel, 'refused', { term, sequence: end.sequence, code, message: 'No.' })
          return
        }
        chain.batches.push({ end, bytes: batch })
        member.sent = end.sequence
        if (!this.acceptsNothing) member.peer.push(member.channel, 'accepted', end)
        this.push(chain)
      },
    }
  }

  /** What the followers lack. */
  push(chain: RelayChain): void {
    for (const member of chain.members) {
      for (; member.sent !== undefined && member.sent < chain.end.sequence; member.sent++) {
        const bytes = chain.batches[member.sent]?.bytes
        if (bytes === undefined) break
        const item = batchItemPieces({ bytes, head: decodeBatch(bytes), missing: [] })
        for (const part of batchParts(item)) member.peer.push(member.channel, 'batch', { ...part, term: 0 })
      }
    }
  }

  /** A signed head for all who follow. */
  async sign(chain: RelayChain, end = chain.end): Promise<void> {
    const head = await signHead(crypto, identity, chain.made.id, end, Date.now())
    for (const { peer, channel } of chain.members) peer.push(channel, 'head', head)
  }

  #next(chain: RelayChain): void {
    const [first] = chain.asking
    if (first === undefined) return
    if (chain.holder === undefined) {
      chain.asking.shift()
      first.give(++chain.term)
      if (chain.asking.length > 0) this.#recall(chain)
    } else this.#recall(chain)
  }

  #recall({ holder }: RelayChain): void {
    if (holder?.member !== undefined) holder.member.peer.push(holder.member.channel, 'recall', { term: holder.term })
  }

  #free(chain: RelayChain): void {
    chain.holder = undefined
    this.#next(chain)
  }

  #gone(chain: RelayChain, member: Member): void {
    chain.members.delete(member)
    for (let at = chain.asking.length - 1; at >= 0; at--)
      if (chain.asking[at]?.member === member) chain.asking.splice(at, 1)
    const { holder } = chain
    if (holder?.member !== member) return
    holder.member = undefined
    setTimeout(() => {
      if (chain.holder === holder && holder.member === undefined) this.#free(chain)
    }, this.keepMs).unref()
  }
}
