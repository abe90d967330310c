/** Progress is for people: what is told of every batch is handed on a few times a second. */
const INTERVAL_MS = 200

export type Report = (doneBytes: number, totalBytes: number) => void

/** The first report, the last one, and few in between. */
export function paced(report: Report): Report {
  let nextAtMs = 0
  return (doneBytes, totalBytes) => {
    const nowMs = performance.now()
    if (nowMs < nextAtMs && doneBytes < totalBytes) return
    nextAtMs = nowMs + INTERVAL_MS
    report(doneBytes, totalBytes)
  }
}
