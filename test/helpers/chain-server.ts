/** A server of chains in memory, and clients that speak its messages by hand, so that tests can say anything. */
import { toHex } from '../../src/engine/bytes/hex.js'
import {
  MemoryStorage,
  batchItemPieces,
  type BatchBytes,
  type ReceivedBatch,
  readBatches,
} from '../../src/engine/log/index.js'
import type { LogStorage } from '../../src/engine/log/storage.js'
import { type ChainStore, type ChainStores, ChainServer, type ChainServerOptions } from '../../src/server/index.js'
import {
  BatchJoiner,
  batchParts,
  type Opened,
  Peer,
  type Point,
  proveWriter,
  type PushMap,
  START,
} from '../../src/sync/index.js'
import { writerOf, type TrustMode, type WriterProof } from '../../src/sync/index.js'
import type { ChainKeys } from '../../src/engine/crypto/chain-keys.js'
import { create, draft, keys, MemoryAnchor, open, type TestLog } from './log-workbench.js'
import { connect, type Transport } from '../../src/wire/index.js'
import { clientOptions, connected, crypto, identity } from './wire.js'

/** Stores that survive their server. */
export class MemoryStores implements ChainStores {
  readonly chains = new Map<string, { storage: LogStorage; anchor: MemoryAnchor }>()
  readonly #make: () => LogStorage

  constructor(make: () => LogStorage = () => new MemoryStorage()) {
    this.#make = make
  }

  async list(): Promise<string[]> {
    return [...this.chains.keys()].sort()
  }

  async open(chain: string): Promise<ChainStore | undefined> {
    return this.chains.get(chain)
  }

  async look(chain: string): Promise<LogStorage | undefined> {
    return this.chains.get(chain)?.storage
  }

  async create(chain: string): Promise<ChainStore> {
    const store = this.chains.get(chain) ?? { storage: this.#make(), anchor: new MemoryAnchor() }
    this.chains.set(chain, store)
    return store
  }
}

export function serverOn(stores: ChainStores, options: Partial<ChainServerOptions> = {}): ChainServer {
  const storageSecret = new Uint8Array(32).fill(9)
  return new ChainServer({ crypto, stores, storageSecret, signer: identity, trust: 'centralized', ...options })
}

/** A chain with batches, made with the chain's own keys: what a client has. */
export class LocalChain {
  readonly #log: TestLog
  readonly #storage: LogStorage
  #made = 0

  private constructor(storage: LogStorage, log: TestLog) {
    this.#storage = storage
    this.#log = log
  }

  static async make(...contents: number[]): Promise<LocalChain> {
    const storage = new MemoryStorage()
    await create(storage)
    const chain = new LocalChain(storage, await open({ storage }))
    await chain.add(...contents)
    return chain
  }

  /** A batch for each, with so many bytes of content. */
  async add(...contents: number[]): Promise<void> {
    for (const bytes of contents) await this.#log.log.append([draft(++this.#made, bytes, 60_000)])
  }

  get point(): Point {
    const { head } = this.#log.log
    return head === undefined ? START : { sequence: head.sequence, digest: head.digest }
  }

  async batches(from = 1, to = this.point.sequence): Promise<ReceivedBatch[]> {
    const batches: ReceivedBatch[] = []
    if (from > to) return batches
    for await (const batch of readBatches({ storage: this.#storage, crypto, keys }, from, to)) batches.push(batch)
    return batches
  }
}

export function digestOf({ head, groups }: Pick<BatchBytes, 'head' | 'groups'>): string {
  return toHex(crypto.sha256(head, groups))
}

export interface Asked {
  session?: Uint8Array
  term?: number
  proof?: WriterProof | null
}

/** Everything a server has pushed on one channel. */
export class TestChannel {
  readonly received: { sequence: number; bytes: number }[] = []
  /** Of the same batches, digests of all their bytes. */
  readonly digests: string[] = []
  readonly heads: PushMap['head'][] = []
  readonly recalls: number[] = []
  readonly accepted: number[] = []
  readonly refused: PushMap['refused'][] = []
  readonly keyrings: Uint8Array[] = []
  readonly #joiner = new BatchJoiner()
  #changed: (() => void)[] = []

  constructor(
    readonly client: TestClient,
    readonly opened: Opened,
  ) {
    const noted =
      <T>(note: (body: T) => void) =>
      (body: T): void => {
        note(body)
        for (const resolve of this.#changed.splice(0)) resolve()
      }
    client.peer.listen(opened.channel, {
      pushes: {
        batch: noted(({ bytes, more }) => this.#take(bytes, more)),
        head: noted((head) => this.heads.push(head)),
        recall: noted(({ term }) => this.recalls.push(term)),
        accepted: noted(({ sequence }) => this.accepted.push(sequence)),
        refused: noted((refused) => this.refused.push(refused)),
        keyring: noted(({ keyring }) => this.keyrings.push(keyring)),
      },
    })
  }

  #take(bytes: Uint8Array, more: boolean): void {
    const batch = this.#joiner.add(bytes, more)
    if (batch === undefined) return
    const sequence = new DataView(batch.head.buffer, batch.head.byteOffset).getUint32(0, true)
    this.received.push({ sequence, bytes: batch.head.length + batch.groups.length })
    this.digests.push(digestOf(batch))
  }

  /** Resolves when it is so, after pushes that may make it so. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => this.#changed.push(resolve))
  }

  follow(point: Point = START): Promise<Point> {
    return this.client.peer.request(this.opened.channel, 'follow', point)
  }

  turn(point: Point, asked: Asked = {}): Promise<Point & { term: number }> {
    const { session = this.client.session, term = 0 } = asked
    const { proof = this.prove({ session }) } = asked
    return this.client.peer.request(this.opened.channel, 'turn', { session, term, ...point, proof })
  }

  /** That the client has the key of the chain. */
  prove({ session = this.client.session, by = keys }: { session?: Uint8Array; by?: ChainKeys } = {}): WriterProof {
    const { transcript } = this.client.peer.connection.agreement
    return proveWriter(crypto, by, { chainId: this.opened.id, session, transcript })
  }

  release(term: number): Promise<unknown> {
    return this.client.peer.request(this.opened.channel, 'release', { term })
  }

  barrier(): Promise<Point> {
    return this.client.peer.request(this.opened.channel, 'barrier', {})
  }

  leave(): Promise<unknown> {
    return this.client.peer.request(this.opened.channel, 'leave', {})
  }

  /** Sent when it resolves: what fits at once. */
  async upload(term: number, batches: readonly ReceivedBatch[]): Promise<void> {
    const { peer } = this.client
    for (const batch of batches)
      for (const part of batchParts(batchItemPieces(batch))) {
        if (peer.unsentBytes > 1024 * 1024) await peer.ready()
        peer.push(this.opened.channel, 'batch', { ...part, term })
      }
  }
}

/** The key of who may write the chains of the tests. */
export const writerKey = writerOf(keys)

export class TestClient {
  constructor(
    readonly peer: Peer,
    readonly session: Uint8Array,
  ) {}

  static async to(server: ChainServer, name = 1): Promise<TestClient> {
    const { client, server: there } = await connected()
    server.accept(there, 'db')
    return new TestClient(new Peer(client), new Uint8Array(16).fill(name))
  }

  /** Over a transport that leads to a server. */
  static async over(transport: Transport, name = 1): Promise<TestClient> {
    const connection = await connect(transport, clientOptions({ encryption: 0 }))
    return new TestClient(new Peer(connection), new Uint8Array(16).fill(name))
  }

  async open(chain: string): Promise<TestChannel> {
    return new TestChannel(this, await this.peer.request(0, 'open', { chain }))
  }

  async create(
    chain: string,
    id = keys.chainId,
    keyring: Uint8Array | null = null,
    trust: TrustMode = 'centralized',
  ): Promise<TestChannel> {
    const request = { chain, id, suite: keys.suite, trust, keyring, writer: writerKey } as const
    return new TestChannel(this, await this.peer.request(0, 'create', request))
  }
}
