/** Waits for a hook, but not for ever. */
import { AteError } from '../../error.js'
import { Deadline } from '../deadline.js'

export interface TimeLimit {
  /** Of the plugin. */
  readonly name: string
  readonly timeoutMs: number
  /** Whoever waits gives up. */
  readonly signal: AbortSignal | undefined
}

/** What `run` comes to. HOOK_FAILED with what it throws, TIMED_OUT; ABORTED by the signal. */
export async function within<T>(
  { name, timeoutMs, signal }: TimeLimit,
  run: (ended: AbortSignal) => T | Promise<T>,
): Promise<T> {
  using deadline = new Deadline({ timeoutMs, signal })
  const ended = new Promise<never>((_, reject) => {
    const end = (): void =>
      reject(
        deadline.isGivenUp
          ? new AteError('ABORTED', `The plugin ${name} was not waited for.`)
          : new AteError('TIMED_OUT', `The plugin ${name} took longer than ${timeoutMs} ms.`),
      )
    if (deadline.signal.aborted) end()
    else deadline.signal.addEventListener('abort', end, { once: true })
  })
  ended.catch(() => undefined)
  return await Promise.race([ended, answerOf(name, run, deadline.signal)])
}

async function answerOf<T>(name: string, run: (ended: AbortSignal) => T | Promise<T>, ended: AbortSignal): Promise<T> {
  try {
    return await run(ended)
  } catch (error) {
    throw new AteError('HOOK_FAILED', `The plugin ${name} failed.`, { cause: error })
  }
}
