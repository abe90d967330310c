/** The opening of a copy waits until all is here that the server had when it was followed. */
import { AteError } from '../engine/error.js'
import { ANSWER_MS, type ChainSession } from './chain-session.js'
import { away } from './remote-errors.js'
import type { RemoteLink } from './remote-link.js'
import type { StartOptions } from './remote-chain-options.js'
import type { Waiters } from './waiters.js'
import { LOOK_MS } from './waits.js'

export interface CatchUp extends Pick<StartOptions, 'mayBeAway' | 'signal'> {
  readonly link: RemoteLink
  readonly session: () => ChainSession | undefined
  /** Up to this batch both sides are the same. */
  readonly same: () => number
  readonly arrivals: Waiters
  readonly demandSound: () => void
  readonly onProgress: ((sequence: number, target: number) => void) | undefined
}

/**
 * Resolves when everything is here that the server had when it was followed, and is the same: of a local log that is longer that
 * is only known when the server's batches have come. False: it is away, and what is here will do. TIMED_OUT, ABORTED, and what
 * `demandSound` throws.
 */
export async function catchUp(options: CatchUp): Promise<boolean> {
  const { link, session, same, arrivals, mayBeAway = false, signal, demandSound, onProgress } = options
  for (let [looks, last] = [0, -1]; looks < ANSWER_MS / LOOK_MS; looks++) {
    demandSound()
    const followed = session()
    const target = followed?.target.sequence
    if (target === undefined && mayBeAway) return false
    if (target !== undefined && same() >= target) return true
    if (signal?.aborted === true) throw new AteError('ABORTED', 'The opening was given up.')
    if (target !== undefined) onProgress?.(same(), target)
    const progress = same() + (followed?.arrivals.parts ?? 0)
    if (progress !== last) [looks, last] = [0, progress]
    await arrivals.wait(LOOK_MS, () => away(link.server)).catch(() => undefined)
  }
  throw link.lastError ?? away(link.server)
}
