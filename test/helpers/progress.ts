/** What a long run (`npm run fuzz`, `crash`, `chaos`) has done so far: a line on stderr now and then, none in a short one. */
const EVERY_MS = Number(process.env['ATEFS_PROGRESS_MS'] ?? 30_000)

/** To be called after each of `total` steps of `what`. */
export function progressOf(what: string, total: number): () => void {
  if (process.env['ATEFS_TEST_LONG'] === undefined) return () => {}
  const startMs = Date.now()
  let toldMs = startMs
  let done = 0
  return () => {
    done++
    const nowMs = Date.now()
    if (nowMs - toldMs < EVERY_MS) return
    toldMs = nowMs
    process.stderr.write(`# ${what}: ${done} of ${total} after ${Math.round((nowMs - startMs) / 1000)} s\n`)
  }
}
