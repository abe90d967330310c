/** A timer of any length. Those of platforms run at once when they are longer than 2^31 - 1 ms: 24 days, or for ever. */
const MAX_TIMER_MS = 2 ** 31 - 1

export interface AfterOptions {
  /** A program with nothing else to do ends before (on Node). */
  isBackground?: boolean
}

/** Calls `run` once after `ms` milliseconds, Infinity: never; unless the function that it returns is called before. */
export function after(ms: number, run: () => void, { isBackground = false }: AfterOptions = {}): () => void {
  if (ms === Infinity) return () => undefined
  let timer: ReturnType<typeof setTimeout>
  const wait = (leftMs: number): void => {
    const stepMs = Math.min(leftMs, MAX_TIMER_MS)
    timer = setTimeout(() => (stepMs < leftMs ? wait(leftMs - stepMs) : run()), stepMs)
    if (isBackground) timer.unref()
  }
  wait(ms)
  return () => clearTimeout(timer)
}
