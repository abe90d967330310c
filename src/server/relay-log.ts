/** The log of a chain without its keys: verified as far as that goes, kept byte by byte, authenticated with the server's own keys. */
import { equalBytes } from '../engine/bytes/equal.js'
import { type ChainKeys, deriveChainKeys } from '../engine/crypto/chain-keys.js'
import type { CryptoProvider } from '../engine/crypto/provider.js'
import { parseAeadSuite } from '../engine/crypto/suites.js'
import { segmentName } from '../engine/log/format/segment-name.js'
import {
  type BatchBytes,
  type BatchSource,
  createLog,
  describeChain,
  type Log,
  openLog,
  readBatches,
  type ReceivedBatch,
} from '../engine/log/index.js'
import { lastClosedPoint } from '../engine/log/compare-logs.js'
import { FramePlaces, type Pay } from '../engine/log/frame-places.js'
import { linkDigest } from '../engine/log/format/link.js'
import { ManifestFile } from '../engine/log/manifest-file.js'
import { RunEnd } from '../engine/log/run-end.js'
import { type VerifySignature, verifySignatures } from '../engine/log/verify-signatures.js'
import { trustOf } from '../engine/log/format/feature-flags.js'
import { type Point, type SentContent, START, type TrustMode } from '../sync/index.js'
import type { LogStorage } from '../engine/log/storage.js'
import { bodiesIn } from './bodies-in-log.js'
import type { ChainStore } from './chain-stores.js'

/** A shorter segment is not worth it: there can only be so many. */
const LEAST_CLOSED_BYTES = 64 * 1024

export interface RelayOptions {
  readonly crypto: CryptoProvider
  readonly storageSecret: Uint8Array
  readonly clock: () => number
  /** In this thread without it. */
  readonly verify?: VerifySignature
}

export interface ChainFacts {
  /** 16 bytes. */
  readonly id: Uint8Array
  readonly suite: number
  readonly trust: TrustMode
}

/** CHAIN_EXISTS, UNSUPPORTED_FORMAT for a suite that is not known. */
export async function createRelayLog(options: RelayOptions, store: ChainStore, facts: ChainFacts): Promise<void> {
  const { crypto, clock } = options
  const keys = keysFor(options, facts.id, facts.suite)
  const trust = facts.trust === 'distributed' ? 'distributed' : 'local'
  await createLog({ storage: store.storage, crypto, keys, clock, trust })
}

/** Where a log ends that is not open, as far as it was closed; changes nothing. NOT_A_CHAIN. */
export async function peekRelayLog(
  options: RelayOptions,
  storage: LogStorage,
): Promise<{ sequence: number; bytes: number }> {
  const { chainId, suite } = await describeChain(storage)
  const { current } = await ManifestFile.load(storage, options.crypto, keysFor(options, chainId, suite))
  const closed = current.segments.flatMap(({ closing }) => closing ?? [])
  return { sequence: closed.at(-1)?.lastSequence ?? 0, bytes: closed.reduce((sum, { length }) => sum + length, 0) }
}

export class RelayLog {
  readonly facts: ChainFacts
  readonly #source: BatchSource
  readonly #log: Log
  readonly #crypto: CryptoProvider
  readonly #verify: VerifySignature | undefined
  readonly #places: FramePlaces

  private constructor(facts: ChainFacts, source: BatchSource, log: Log, verify: VerifySignature | undefined) {
    this.#verify = verify
    this.facts = facts
    this.#source = source
    this.#places = new FramePlaces(source)
    this.#crypto = source.crypto
    this.#log = log
  }

  /** What `openLog` throws; NOT_A_CHAIN where none was made. */
  static async open(options: RelayOptions, { storage, anchor }: ChainStore): Promise<RelayLog> {
    const { crypto, clock, verify } = options
    const { chainId, suite, format } = await describeChain(storage)
    const keys = keysFor(options, chainId, suite)
    const source = { storage, crypto, keys, isKeyless: true }
    const trust = trustOf(format)
    if (trust === 'distributed') await cutUnfinishedRun(source)
    const from = await lastClosedPoint(source)
    const { log } = await openLog({ ...source, clock, anchor, readOnly: false, from, onBatch: () => undefined })
    const facts: ChainFacts = { id: chainId, suite, trust: trust === 'local' ? 'centralized' : trust }
    return new RelayLog(facts, source, log, verify)
  }

  /** The last batch that was written. */
  get head(): Point {
    const { head } = this.#log
    return head === undefined ? START : { sequence: head.sequence, digest: head.digest }
  }

  get durableSequence(): number {
    return this.#log.durableSequence
  }

  get sizeBytes(): number {
    return this.#log.sizeBytes()
  }

  /** Batches that belong together: all are written, or none. What `Log.receive` throws, BAD_SIGNATURE. */
  async receive(run: readonly BatchBytes[], { mayMiss = false } = {}): Promise<readonly ReceivedBatch[]> {
    let received: readonly ReceivedBatch[] = []
    await this.#log.receive(run, {
      isDurable: false,
      mayMiss,
      accept: async (batches) => {
        await verifySignatures(this.#crypto, batches, this.#verify)
        received = batches
      },
    })
    return received
  }

  /** What was written when it is called is durable when it resolves; more may be written meanwhile. WRITE_FAILED. */
  reachDurable(): Promise<void> {
    return this.#log.reachDurable()
  }

  /** Batches that are durable, in order; content that was dropped is missing. */
  read(from: number, to: number, content: SentContent = 'all'): AsyncGenerator<ReceivedBatch> {
    return readBatches(this.#source, from, to, { hasContent: content === 'all', at: this.#places.knownBefore(from) })
  }

  /**
   * Groups of content of a durable batch, as they are stored: the first of those asked for that are `MAX_SENT_BODY_BYTES` together,
   * at least one. Null for those that were dropped. BAD_ARGUMENT for what is none, NOT_SUPPORTED for one that is larger; what
   * `pay` throws.
   */
  async bodies(sequence: number, numbers: readonly number[], pay?: Pay): Promise<(Uint8Array | null)[]> {
    return await this.#places.withBatch(sequence, (found) => bodiesIn(this.#crypto, found, numbers), pay)
  }

  /** True when the chain, which reaches so far, has that batch. CHAIN_DAMAGED, INPUT_OUTPUT; what `pay` throws. */
  async has({ sequence, digest }: Point, pay?: Pay): Promise<boolean> {
    if (sequence === 0) return true
    const found = await this.#places.withBatch(sequence, ({ frame }) => Promise.resolve(frame), pay)
    return equalBytes(linkDigest(this.#crypto, found.head.linkBytes), digest)
  }

  /** Whatever names dropped bodies may be given back from now on. */
  allowDrops(): Promise<void> {
    return this.#log.allowDrops()
  }

  /** What was written lies in closed segments, unless that is little. NO_SPACE. */
  async closeSegment(): Promise<void> {
    const closed = [...this.#log.closedSegments().values()].reduce(
      (sum, { closing }) => sum + (closing?.length ?? 0),
      0,
    )
    if (this.#log.sizeBytes() - closed >= LEAST_CLOSED_BYTES) await this.#log.rotate()
  }

  get source(): BatchSource {
    return this.#source
  }

  async close(): Promise<void> {
    await this.#places.close()
    await this.#log.close()
  }
}

function keysFor({ crypto, storageSecret }: RelayOptions, chainId: Uint8Array, suite: number): ChainKeys {
  return deriveChainKeys(crypto, storageSecret, chainId, parseAeadSuite(suite))
}

/**
 * A crash may have left a part of batches that share signatures. Nobody was told that they are kept, and no reader could
 * take them: the log is cut before them.
 */
async function cutUnfinishedRun(source: BatchSource): Promise<void> {
  const { storage } = source
  const manifest = await ManifestFile.load(storage, source.crypto, source.keys)
  const last = manifest.current.segments.at(-1)
  if (last === undefined || last.closing !== undefined) return
  const run = new RunEnd()
  const opened = await openLog({
    ...source,
    clock: () => 0,
    readOnly: true,
    from: await lastClosedPoint(source),
    onBatch: ({ endPosition, authorship }) => run.add(endPosition, authorship?.proof.ahead ?? 0),
  })
  await opened.log.close()
  const { wholeTo } = run
  if (run.isWhole) return
  const file = await storage.openSegment(segmentName(last.number), 'append')
  try {
    // Behind the header when not even the first is whole.
    await file.truncate(wholeTo)
    await file.sync()
  } finally {
    await file.close()
  }
}
