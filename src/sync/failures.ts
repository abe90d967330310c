/** Why a request failed, as it travels: a code, a sentence, and what some failures have besides. */
import type { Packable } from '../engine/codec/message-pack.js'
import { fields, orElse, orNull, text } from '../engine/codec/shape.js'
import { AteError, type ErrorCode, isAteError, isErrorCode } from '../engine/error.js'
import { plainText } from '../wire/refusal.js'
import { MAX_FAILURE_LENGTH, MAX_SERVER_LENGTH, MAX_TYPE_LENGTH } from './limits.js'
import { type SignedHead, signedHeadOf } from './pushes.js'
import { type TrustMode, trustModeOf } from './requests.js'

/** What a failure may say besides. */
export type FailureDetail = {
  /** Of CHAIN_NOT_FOUND: the trust of chains made on this server. */
  readonly trust: TrustMode | null
  /** Of CHAIN_FORKED: the server's signed word on the chain it has. */
  readonly head: SignedHead | null
  /** Of OTHER_SERVER: `address:port` of the server that has the chain. */
  readonly server: string | null
}

type FailureBody = FailureDetail & { readonly code: string; readonly message: string }

const bodyOf = fields<FailureBody>({
  code: text(MAX_TYPE_LENGTH),
  message: text(MAX_FAILURE_LENGTH),
  trust: orElse(orNull(trustModeOf), null),
  head: orElse(orNull(signedHeadOf), null),
  server: orElse(orNull(text(MAX_SERVER_LENGTH)), null),
})

const NOTHING: FailureDetail = { trust: null, head: null, server: null }

class FailureCause {
  constructor(readonly detail: FailureDetail) {}
}

/** An error that tells more than its code, to the other side too. */
export function failure(code: ErrorCode, message: string, detail: Partial<FailureDetail>): AteError {
  return new AteError(code, message, { cause: new FailureCause({ ...NOTHING, ...detail }) })
}

/** What the other side said besides the code; undefined for an error that did not come from there. */
export function failureDetail(error: unknown): FailureDetail | undefined {
  return isAteError(error) && error.cause instanceof FailureCause ? error.cause.detail : undefined
}

/** Of an error that is none of ours only that there was one is told. */
export function encodeFailure(error: unknown): Packable {
  const code = isAteError(error) ? error.code : 'INPUT_OUTPUT'
  const message = isAteError(error) ? error.message : 'The request could not be handled.'
  return { code, message: message.slice(0, MAX_FAILURE_LENGTH), ...(failureDetail(error) ?? NOTHING) }
}

/** BAD_FORMAT for what is no failure. A code that is not known here counts as INPUT_OUTPUT. */
export function decodeFailure(body: unknown): AteError {
  const { code, message, ...detail } = bodyOf(body, 'failure')
  return failure(knownCode(code), plainText(message), detail)
}

/** The code as it was sent, or what stands for one of a later version. */
export function knownCode(code: string): ErrorCode {
  return isErrorCode(code) ? code : 'INPUT_OUTPUT'
}
