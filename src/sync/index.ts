/** The messages between a client and a server of chains. See docs/protocol.md, section 8. */
export { BatchJoiner, batchParts } from './batch-parts.js'
export { failure, type FailureDetail, failureDetail, knownCode } from './failures.js'
export { MAX_CHANNELS, MAX_PART_BYTES, MAX_UNANSWERED, SESSION_BYTES } from './limits.js'
export { type ChannelHandlers, Peer, type PushHandlers, type RequestHandlers, type RequestOptions } from './peer.js'
export { type Point, START } from './points.js'
export type { BatchPart, PushMap, PushType, Refused, SignedHead } from './pushes.js'
export type {
  ChainList,
  HeadSigner,
  ListedChain,
  Opened,
  RequestMap,
  RequestType,
  TrustMode,
  WriterProof,
} from './requests.js'
export { proveWriter, type WriterClaim, writerDigest, writerOf } from './writer-proof.js'
export { checkForkEvidence, encodeForkEvidence, type ForkReport, MAX_EVIDENCE_BYTES } from './fork-evidence.js'
export { type ForkEvidence, isForkProven, isHeadAuthentic, signHead } from './signed-head.js'
