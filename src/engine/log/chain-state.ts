/**
 * Where a chain stands after a batch, and whether a stored batch is the next one. Two questions are kept apart: is the
 * batch authentic and whole in itself (`checkBatch`), and does it continue this history (`checkOrder`).
 */
import { copyOf } from '../bytes/copy.js'
import { equalBytes } from '../bytes/equal.js'
import type { ChainKeys } from '../crypto/chain-keys.js'
import type { CryptoProvider } from '../crypto/provider.js'
import { authorFor, type BatchAuthor, keylessAuthor } from './batch-author.js'
import { batchDigest } from './format/batch-header.js'
import { type FormatHeader, trustOf } from './format/feature-flags.js'
import type { FrameHead } from './format/frame-head.js'
import { linkDigest, NO_DIGEST } from './format/link.js'
import { merkleRoot } from './format/merkle.js'

export interface ChainState {
  /** Of the last batch; 0 before the first. */
  sequence: number
  /** Digest of its link. */
  digest: Uint8Array
  authorCounter: number
  /** Digest of the author's last batch. */
  authorDigest: Uint8Array
}

export const EMPTY_CHAIN: ChainState = { sequence: 0, digest: NO_DIGEST, authorCounter: 0, authorDigest: NO_DIGEST }

/** What is needed to judge a batch. */
export interface BatchJudge {
  crypto: CryptoProvider
  keys: ChainKeys
  author: BatchAuthor
  /** Whoever judges has no key of the chain: what is sealed stays closed, and whose word a batch is stays open. */
  isKeyless?: boolean | undefined
}

/** Who judges the batches of a log with such a manifest. */
export function judgeFor(
  { crypto, keys, isKeyless }: Pick<BatchJudge, 'crypto' | 'keys' | 'isKeyless'>,
  format: FormatHeader,
): BatchJudge {
  const author = isKeyless === true ? keylessAuthor(trustOf(format), crypto, keys.author) : undefined
  return { crypto, keys, isKeyless, author: author ?? authorFor(format, crypto, keys.author) }
}

/** What is wrong with a batch in itself, as half a sentence; undefined when nothing is. */
export function checkBatch({ crypto, keys, author }: BatchJudge, head: FrameHead): string | undefined {
  const { link, batch } = head
  if (!equalBytes(batch.chainId, keys.chainId)) return 'belongs to another chain'
  if (batch.suite !== keys.suite) return 'is of another suite'
  if (!author.isAuthor(batch.authorKeyId)) return 'has an unknown author'
  if (!author.verify(batch.authKind, head.authenticatedBytes, head.auth)) {
    return 'has an authentication that does not verify'
  }
  if (!equalBytes(link.sequencer, batch.authorKeyId)) return 'has an unknown sequencer'
  return checkBinding(crypto, head)
}

/** The part of it that needs no key: that what the batch says belongs together. */
export function checkBinding(crypto: CryptoProvider, head: FrameHead): string | undefined {
  const { link, batch } = head
  if (!equalBytes(link.batchDigest, batchDigest(crypto, head.batchBytes))) return 'has a link to another batch'
  if (batch.baseSequence + 1 !== link.sequence || !equalBytes(batch.baseDigest, link.previous)) {
    return 'was built on another history than its link says'
  }
  if (batch.durableSequence >= link.sequence) return 'claims that later batches are durable'
  const leaves = head.table.map(({ digest }) => digest)
  if (!equalBytes(batch.merkleRoot, merkleRoot(crypto, leaves))) return 'has another Merkle root than its groups'
  return undefined
}

/** Why an authentic batch cannot follow `state`, as half a sentence; undefined when it can. */
export function checkOrder(state: ChainState, head: FrameHead): string | undefined {
  const { link, batch } = head
  if (link.sequence !== state.sequence + 1) return `has sequence ${link.sequence} where ${state.sequence + 1} belongs`
  if (!equalBytes(link.previous, state.digest)) return 'does not link to the batch before it'
  if (batch.authorCounter !== state.authorCounter + 1) return "does not continue its author's count"
  if (!equalBytes(batch.authorPrevious, state.authorDigest)) return "does not continue its author's batches"
  return undefined
}

/** The state behind a batch. */
export function stateAfter(crypto: CryptoProvider, head: FrameHead): ChainState {
  return {
    sequence: head.link.sequence,
    digest: linkDigest(crypto, head.linkBytes),
    authorCounter: head.batch.authorCounter,
    authorDigest: copyOf(head.link.batchDigest),
  }
}

/** The state that a batch says it follows. */
export function stateBefore(head: FrameHead): ChainState {
  return {
    sequence: head.link.sequence - 1,
    digest: copyOf(head.link.previous),
    authorCounter: head.batch.authorCounter - 1,
    authorDigest: copyOf(head.batch.authorPrevious),
  }
}
