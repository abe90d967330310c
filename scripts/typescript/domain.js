/**
 * Stands in for async-hook-domain, with which tap finds the test that an uncaught error belongs to. That follows every promise
 * there is, which is a quarter of the time of tests that await a lot; this says that it is one of the file.
 */
/** @type {Domain[]} */
const open = []

/** @param {unknown} error @param {string} origin */
function tell(error, origin) {
  const [file] = open
  if (file === undefined) throw error
  file.onerror(error, origin)
}

export class Domain {
  /** @param {(error: unknown, origin: string) => void} onerror */
  constructor(onerror) {
    this.onerror = onerror
    open.push(this)
    if (open.length === 1) process.on('uncaughtException', tell)
  }

  destroy() {
    const place = open.indexOf(this)
    if (place < 0) return
    open.splice(place, 1)
    if (open.length === 0) process.off('uncaughtException', tell)
  }
}
