/**
 * Builds the frame of one batch in a buffer: every group is sealed in place and hashed once, then the head is written
 * before them. Nothing large is copied or allocated.
 */
import { byteLength } from '../bytes/concat.js'
import { ByteWriter } from '../bytes/byte-writer.js'
import type { ChainKeys } from '../crypto/chain-keys.js'
import type { CryptoProvider } from '../crypto/provider.js'
import { AteError } from '../error.js'
import { MAX_BATCH_BYTES, MAX_BATCH_GROUPS } from '../limits.js'
import type { BatchAuthor } from './batch-author.js'
import { NOTHING_SIGNED, planProofs, type ProofPlan } from './proof-plan.js'
import type { ChainState } from './chain-state.js'
import { AUTH_PROOF, batchDigest, writeBatchHeader, writeTableEntry, type TableEntry } from './format/batch-header.js'
import { alignFrame, FRAME_HEADER_BYTES, headBytesOf, writeFrameHeader } from './format/frame-head.js'
import { GROUP_OVERHEAD_BYTES } from './format/group-header.js'
import { groupFlags } from './format/group-kinds.js'
import { linkDigest, writeLink } from './format/link.js'
import { merkleLeaf, merkleRoot } from './format/merkle.js'
import type { GroupSealer } from './group-sealer.js'
import type { AppendedBatch, BatchDraft, GroupPlace } from './types.js'

export interface FrameContext {
  /** The chain before this batch. */
  state: ChainState
  durableSequence: number
  timeMs: number
  segment: number
  salt: Uint8Array
  /** Where in the segment the frame will lie. */
  position: number
  /** Of `FrameBuilder.plan`. */
  plan: ProofPlan
}

export interface BuiltFrame {
  batch: AppendedBatch
  state: ChainState
}

export class FrameBuilder {
  readonly #crypto: CryptoProvider
  readonly #keys: ChainKeys
  readonly #author: BatchAuthor
  readonly #sealer: GroupSealer
  readonly #batch = new ByteWriter(4096)
  readonly #link = new ByteWriter(128)

  constructor(crypto: CryptoProvider, keys: ChainKeys, author: BatchAuthor, sealer: GroupSealer) {
    this.#crypto = crypto
    this.#keys = keys
    this.#author = author
    this.#sealer = sealer
  }

  /** What each batch of those that are written together proves. BAD_ARGUMENT. */
  plan(drafts: readonly BatchDraft[]): readonly ProofPlan[] {
    return this.#author.authKind === AUTH_PROOF ? planProofs(drafts) : drafts.map(() => NOTHING_SIGNED)
  }

  /** Bytes of the frame of `draft`, with its padding. BAD_ARGUMENT when it is above the limits. */
  bytesOf(draft: BatchDraft, plan = this.plan([draft])[0] ?? NOTHING_SIGNED): number {
    let bytes = 0
    for (const { parts, number } of draft.groups) {
      if (!Number.isSafeInteger(number) || number < 0)
        throw new AteError('BAD_ARGUMENT', 'A group has an impossible number.')
      bytes += GROUP_OVERHEAD_BYTES + byteLength(parts)
    }
    if (bytes > MAX_BATCH_BYTES || draft.groups.length > MAX_BATCH_GROUPS) {
      throw new AteError('BAD_ARGUMENT', `A batch of ${draft.groups.length} groups and ${bytes} bytes is too large.`)
    }
    return alignFrame(FRAME_HEADER_BYTES + headBytesOf(draft.groups.length, this.#author.authBytes(plan)) + bytes)
  }

  /** Writes the frame into `target` at `at`, which has room for `bytesOf(draft)`. */
  build(draft: BatchDraft, context: FrameContext, target: Uint8Array, at: number): BuiltFrame {
    const headBytes = headBytesOf(draft.groups.length, this.#author.authBytes(context.plan))
    const bodyAt = at + FRAME_HEADER_BYTES + headBytes
    const groups: GroupPlace[] = []
    let end = bodyAt
    for (const group of draft.groups) {
      const { storedBytes, random } = this.#sealer.seal(group, target, end)
      const digest = merkleLeaf(this.#crypto, target.subarray(end, end + storedBytes))
      const position = context.position + end - at
      groups.push({
        kind: group.kind,
        number: group.number,
        random,
        segment: context.segment,
        position,
        storedBytes,
        digest,
      })
      end += storedBytes
    }
    const digestOfBatch = this.#writeBatch(context, groups)
    const digest = this.#writeLink(context, digestOfBatch)
    target.set(this.#link.view(), at + FRAME_HEADER_BYTES)
    target.set(this.#batch.view(), at + FRAME_HEADER_BYTES + this.#link.length)
    writeFrameHeader(this.#crypto, target, at, context.salt, { headBytes, bodyBytes: end - bodyAt })
    const length = alignFrame(end - at)
    target.fill(0, end, at + length)
    const sequence = context.state.sequence + 1
    const authorCounter = context.state.authorCounter + 1
    return {
      batch: { sequence, digest, groups, segment: context.segment, endPosition: context.position + length },
      state: { sequence, digest, authorCounter, authorDigest: digestOfBatch },
    }
  }

  #writeBatch(context: FrameContext, groups: readonly GroupPlace[]): Uint8Array {
    const { state } = context
    const writer = this.#batch.reset()
    writeBatchHeader(writer, {
      suite: this.#keys.suite,
      authKind: this.#author.authKind,
      authBytes: this.#author.authBytes(context.plan),
      chainId: this.#keys.chainId,
      authorKeyId: this.#author.keyId,
      authorCounter: state.authorCounter + 1,
      authorPrevious: state.authorDigest,
      baseSequence: state.sequence,
      baseDigest: state.digest,
      keyEpoch: 0,
      groupCount: groups.length,
      durableSequence: context.durableSequence,
      merkleRoot: merkleRoot(this.#crypto, groups.map(digestOf)),
    })
    for (const group of groups) writeTableEntry(writer, tableEntry(group))
    writer.bytes(this.#author.authenticate(writer.view(), context.plan))
    return batchDigest(this.#crypto, writer.view())
  }

  #writeLink({ state, timeMs }: FrameContext, digestOfBatch: Uint8Array): Uint8Array {
    writeLink(this.#link.reset(), {
      sequence: state.sequence + 1,
      previous: state.digest,
      batchDigest: digestOfBatch,
      timeMs,
      sequencer: this.#author.keyId,
    })
    return linkDigest(this.#crypto, this.#link.view())
  }
}

function digestOf(group: GroupPlace): Uint8Array {
  return group.digest
}

function tableEntry({ kind, number, storedBytes, digest }: GroupPlace): TableEntry {
  return { kind, flags: groupFlags(kind), number, storedBytes, digest }
}
