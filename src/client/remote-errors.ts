/** What may be wrong between a copy of a chain and its server, and what comes of it. */
import { AteError, type ErrorCode, errorCode } from '../engine/error.js'
import type { RecoveryMode } from './recovery-mode.js'

/** After these it is of no use to connect again. */
const LASTING = new Set<ErrorCode>([
  'OTHER_CHAIN',
  'CHAIN_FORKED',
  'CHAIN_ROLLED_BACK',
  'CHAIN_GAP',
  'BATCH_REFUSED',
  'BAD_SIGNATURE',
  'NOT_AUTHORIZED',
  'UNSUPPORTED_FORMAT',
  'COMMIT_SET_ASIDE',
  'SERVER_KEY_CHANGED',
  'WRITE_FAILED',
  'CHAIN_DAMAGED',
])

/** The server may be there another time. */
const PASSING = new Set<ErrorCode>(['CONNECTION_FAILED', 'CONNECTION_LOST', 'CONNECTION_CLOSED', 'TIMED_OUT'])

export function isLasting(error: unknown): boolean {
  const code = errorCode(error)
  return code !== undefined && LASTING.has(code)
}

export function isPassing(error: unknown): boolean {
  const code = errorCode(error)
  return code !== undefined && PASSING.has(code)
}

/** For who is told later of what has ended everything. */
export function refusal(failure: AteError): AteError {
  const { code, message, hint } = failure
  return new AteError(code, message, { cause: failure, ...(hint === undefined ? {} : { hint }) })
}

export function away(server: string): AteError {
  return new AteError('TIMED_OUT', `The server ${server} does not answer.`)
}

/** For a change that must wait for the server. */
export function awayError(mode: RecoveryMode, server: string): AteError {
  const hint = 'It is tried again in the background.'
  if (mode === 'sync') return new AteError('TIMED_OUT', `The server ${server} is away.`, { hint })
  return new AteError('READ_ONLY', `The server ${server} is away: the chain can only be read.`, { hint })
}

/** The server does not take what was committed here, and would not another time. */
export function batchRefused(code: 'BATCH_REFUSED' | 'BAD_SIGNATURE', sequence: number, why: string): AteError {
  return new AteError(code, `The server refuses batch ${sequence}: ${why}`, {
    hint: 'From that batch on what was committed here lies in this copy only. Ask who runs the server, or open the chain under another log path.',
  })
}

/** For who wants to change something, or waits that the server has what he has changed. */
export function serverFull(): AteError {
  return new AteError('NO_SPACE', 'The disk of the server is full.', {
    hint: 'What is committed here already is brought there as soon as there is room.',
  })
}

export function notAccepted(): AteError {
  return new AteError('TIMED_OUT', 'The commit is made here, but the server has not said that it has it.', {
    hint: 'It is brought there as soon as it can be.',
  })
}
