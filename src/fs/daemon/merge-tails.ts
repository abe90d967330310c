/** Merges what was set aside into the file system, when it may be changed. */
import { setTimeout as sleep } from 'node:timers/promises'
import { errorCode } from '../../engine/error.js'
import type { MergeReport } from '../vfs/merge/merger.js'
import type { Tail } from '../vfs/merge/tail.js'
import type { Ino } from '../vfs/types.js'
import type { SetAsideTail } from './set-aside-tails.js'

/** So long it may keep others waiting. */
const SOON_MS = 10_000
/** Where nothing may be changed now it is tried again. */
const RETRY_MS = 3000
const PASSING = new Set(['READ_ONLY', 'TIMED_OUT', 'NO_SPACE'])

export interface MergeTailsOptions {
  readonly tails: readonly SetAsideTail[]
  readonly fileSystem: { merge(tail: Tail): Promise<MergeReport | undefined> }
  readonly signal: AbortSignal
  readonly say: (message: string) => void
  /** Told of the inodes that are what they were. */
  readonly onMerged: (kept: Iterable<Ino>) => void
  readonly retryMs?: number
}

/** Neither rejects. `soon` resolves when all is merged or it takes longer than others should wait, `done` at the end. */
export function mergeTails(options: MergeTailsOptions): { soon: Promise<void>; done: Promise<void> } {
  const done = mergeAll(options)
  const timer = new AbortController()
  const late = sleep(SOON_MS, undefined, { signal: timer.signal }).catch(() => undefined)
  const soon = Promise.race([done, late]).then(() => timer.abort())
  return { soon, done }
}

async function mergeAll(options: MergeTailsOptions): Promise<void> {
  let isBlocked = false
  for (const tail of options.tails) {
    let isMerged = false
    try {
      isMerged = !isBlocked && (await mergeOne(options, tail))
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      options.say(`what was set aside could not be merged, and is kept for the next mount: ${why}`)
    }
    try {
      await tail.close({ isMerged })
    } catch (error) {
      // The mark of the last one that was merged keeps this one from being merged again: no other takes its place.
      isBlocked ||= isMerged
      const why = error instanceof Error ? error.message : String(error)
      options.say(`what was set aside could not be let go of: ${why}`)
    }
  }
}

/** False when it was given up. */
async function mergeOne(options: MergeTailsOptions, { tail }: SetAsideTail): Promise<boolean> {
  const { fileSystem, signal, say, onMerged, retryMs = RETRY_MS } = options
  while (!signal.aborted) {
    try {
      const report = await fileSystem.merge(tail)
      onMerged(report?.kept ?? [])
      if (report !== undefined) say(sentence(report))
      return true
    } catch (error) {
      if (!PASSING.has(errorCode(error) ?? '')) throw error
    }
    await sleep(retryMs, undefined, { signal }).catch(() => undefined)
  }
  return false
}

function sentence({ conflicts, failures }: MergeReport): string {
  const twice = conflicts === 0 ? '' : ` ${conflicts} files are there twice: look for "(conflict of" in their names.`
  const lost = failures === 0 ? '' : ` ${failures} changes could not be merged: the file that was set aside has them.`
  return `what was made here without the server was merged.${twice}${lost}`
}
