/** Who wrote what, told from the bytes of a log alone: for whoever has no key of the chain. */
import { groupsOf } from './groups-of-frame.js'
import { equalBytes } from '../bytes/equal.js'
import type { CryptoProvider } from '../crypto/provider.js'
import { AteError } from '../error.js'
import { proofIn } from './batch-author.js'
import { checkBinding } from './chain-state.js'
import { AUTH_PROOF } from './format/batch-header.js'
import { type FrameHead } from './format/frame-head.js'
import { linkDigest } from './format/link.js'
import { merkleLeaf } from './format/merkle.js'
import { decodeProof, headDigestOf } from './format/proof-format.js'
import { parseSegmentHeader, SEGMENT_HEADER_BYTES } from './format/segment-header.js'
import { MemoryStorage } from './memory-storage.js'
import { ProofQueue } from './proof-queue.js'
import { SegmentScanner, type StoredFrame } from './segment-scanner.js'

export interface AuthoredBatch {
  readonly chainId: Uint8Array
  readonly sequence: number
  /** Of its link: stands for all history up to it. */
  readonly digest: Uint8Array
  /** Ids of the keys that signed it, 32 bytes each; none: whoever has the key of the chain. */
  readonly signers: readonly Uint8Array[]
  /** False where the bytes of some of its groups are gone or others: of those nothing is told. */
  readonly isWhole: boolean
}

/**
 * The batches of a segment file, in order, up to where it ends or is torn. The log of one writer's session: signatures never
 * reach into another segment. BAD_FORMAT for what is no segment, is out of order or was changed; BAD_SIGNATURE; NOT_SUPPORTED
 * for a chain whose batches are not signed.
 */
export async function* authorsOf(crypto: CryptoProvider, segment: Uint8Array): AsyncGenerator<AuthoredBatch> {
  const { chainId, salt, previous } = parseSegmentHeader(crypto, segment.subarray(0, SEGMENT_HEADER_BYTES))
  const storage = new MemoryStorage()
  await storage.replaceSmall('segment', segment)
  const scanner = new SegmentScanner(crypto, await storage.openSegment('segment', 'read'), salt, segment.length)
  const queue = new ProofQueue<Omit<AuthoredBatch, 'signers'>>(crypto)
  let digest = previous
  for await (const frame of framesOf(scanner)) {
    const { head } = frame
    const wrong = wrongWith(crypto, head, chainId, digest)
    if (wrong !== undefined) throw new AteError('BAD_FORMAT', `The batch ${head.link.sequence} ${wrong}.`)
    digest = linkDigest(crypto, head.linkBytes)
    const isWhole = await areGroupsWhole(crypto, scanner, frame)
    const batch = { chainId, sequence: head.link.sequence, digest, isWhole }
    const headDigest = headDigestOf(crypto, head.authenticatedBytes)
    for (const { item, signers } of queue.take(batch, { headDigest, proof: decodeProof(proofIn(head.auth)) }))
      yield { ...item, signers: signers() }
  }
  for (const { item, signers } of queue.end()) yield { ...item, signers: signers() }
}

async function* framesOf(scanner: SegmentScanner): AsyncGenerator<StoredFrame> {
  for (let position = SEGMENT_HEADER_BYTES; ;) {
    const read = await scanner.frameAt(position)
    if (read.kind === 'forged') throw new AteError('BAD_FORMAT', `At ${position} of the segment ${read.why}.`)
    if (read.kind !== 'frame') return
    yield read.frame
    position = read.frame.endPosition
  }
}

function wrongWith(
  crypto: CryptoProvider,
  head: FrameHead,
  chainId: Uint8Array,
  previous: Uint8Array,
): string | undefined {
  if (head.batch.authKind !== AUTH_PROOF)
    throw new AteError('NOT_SUPPORTED', 'The batches of this chain are not signed: its trust is local.')
  if (!equalBytes(head.batch.chainId, chainId)) return 'belongs to another chain'
  if (!equalBytes(head.link.previous, previous)) return 'does not link to the one before it'
  return checkBinding(crypto, head)
}

async function areGroupsWhole(crypto: CryptoProvider, scanner: SegmentScanner, frame: StoredFrame): Promise<boolean> {
  for (const { position, storedBytes, digest } of groupsOf(frame))
    if (!equalBytes(merkleLeaf(crypto, await scanner.bytes(position, storedBytes)), digest)) return false
  return true
}
