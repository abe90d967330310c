/**
 * Where batches of distributed trust are judged before anything of them is taken in: at opening, and wherever batches come
 * from others. A batch that is refused is refused as a whole, by every reader alike, and those behind it are judged as if it
 * had changed nothing.
 */
import type { CryptoProvider } from '../crypto/provider.js'
import { isAteError } from '../error.js'
import { mayWait, type Proven, ProofQueue } from '../log/proof-queue.js'
import { type Authorship, GROUP_CONTENT, type GroupPlace, type NumberRange, type ReplayedBatch } from '../log/types.js'
import type { RecordView } from './record-view.js'

export interface UnjudgedBatch {
  readonly sequence: number
  /** Change streams, in order. */
  readonly records: readonly Uint8Array[]
  /** Numbers of the contents that it brings. */
  readonly bodies: readonly number[]
  /** Bodies that it says are needed no more. */
  readonly dropped: readonly NumberRange[]
  /** It says that records of batches up to this one are needed no more; 0: of none. */
  readonly forgets: number
  /** Ids of the keys that signed it, 32 bytes each. */
  readonly signers: readonly Uint8Array[]
}

/** What is judged of a batch that is known by its content. */
export function unjudged(
  {
    sequence,
    records,
    groups,
    dropped,
    forgets,
  }: {
    readonly sequence: number
    readonly records: readonly Uint8Array[]
    readonly groups: readonly GroupPlace[]
    readonly dropped: readonly NumberRange[]
    readonly forgets: number
  },
  signers: readonly Uint8Array[],
): UnjudgedBatch {
  const bodies = groups.filter(({ kind }) => kind === GROUP_CONTENT).map(({ number }) => number)
  return { sequence, records, bodies, dropped, forgets, signers }
}

/** The chain as it was before a batch. */
export type JudgedState = Pick<RecordView, 'get' | 'range' | 'floor' | 'hasBody' | 'references'>

/** Throws an AteError for a batch that is to be refused. Told by nothing but what it is given; changes nothing. */
export type JudgeBatch = (batch: UnjudgedBatch, before: JudgedState) => void

/** A batch of which nothing counts. */
export interface RefusedBatch {
  readonly sequence: number
  /** Why: an AteError. */
  readonly error: Error
  /** Ids of the keys that signed it, 32 bytes each; none where that does not verify. */
  readonly signers: readonly Uint8Array[]
}

export interface JudgedBatch {
  readonly batch: ReplayedBatch
  readonly refusal: RefusedBatch | undefined
}

export class BatchGate {
  readonly #queue: ProofQueue<ReplayedBatch>
  readonly #judge: JudgeBatch
  readonly #before: JudgedState

  /** `before`: the chain with all batches that were yielded and accepted. */
  constructor(crypto: CryptoProvider, judge: JudgeBatch, before: JudgedState) {
    this.#queue = new ProofQueue(crypto)
    this.#judge = judge
    this.#before = before
  }

  /** The batches that can be judged now, in order. Each is judged when the one before has been taken in. */
  *take(batch: ReplayedBatch, authorship: Authorship): Generator<JudgedBatch> {
    yield* this.#judged(this.#queue.take(batch, authorship, mayWait(batch.records)))
  }

  /** Those whose signatures never came. */
  *end(): Generator<JudgedBatch> {
    yield* this.#judged(this.#queue.end())
  }

  *#judged(proven: readonly Proven<ReplayedBatch>[]): Generator<JudgedBatch> {
    for (const one of proven) yield { batch: one.item, refusal: this.#refusalOf(one) }
  }

  #refusalOf({ item, signers }: Proven<ReplayedBatch>): RefusedBatch | undefined {
    let proven: readonly Uint8Array[] = []
    try {
      proven = signers()
      this.#judge(unjudged(item, proven), this.#before)
      return undefined
    } catch (error) {
      if (isAteError(error)) return { sequence: item.sequence, error, signers: proven }
      throw error
    }
  }
}
