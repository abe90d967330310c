/**
 * Runs TypeScript without checking it: `node --import ./scripts/typescript/loader.js FILE.ts`. The tests use it in place of
 * tap's own loader, which brings the whole compiler into each process and compiles every file anew: 2 s of a core a file.
 */
import { register, syncBuiltinESMExports } from 'node:module'
import threads, { isMainThread } from 'node:worker_threads'

register('./hooks.js', import.meta.url)

const sources = new URL('../../src/', import.meta.url).href
const built = new URL('../../dist/', import.meta.url).href

/** @param {unknown} value */
const isSource = (value) => typeof value === 'string' && value.startsWith(sources)
/** @param {unknown} value */
const toBuilt = (value) => (isSource(value) ? built + value.slice(sources.length) : value)
/** A module of a test is TypeScript, and has no other form. @param {unknown} value */
const hasBuilt = (value) => typeof value !== 'string' || !value.startsWith('file:') || isSource(value)

/** @param {unknown} data */
function isPlain(data) {
  return data?.constructor === Object
}

/**
 * In `npm test`, which has just built them, threads of the sources run as they are built: each would start a loader of its own,
 * which takes longer than all that most of them do.
 */
if (isMainThread && process.env.ATEFS_TEST_RUN !== undefined) {
  threads.Worker = class extends threads.Worker {
    constructor(file, options = {}) {
      const { workerData: data } = options
      if (!isSource(String(file)) || (isPlain(data) && !Object.values(data).every(hasBuilt))) super(file, options)
      else {
        const entries = isPlain(data) ? Object.entries(data).map(([name, value]) => [name, toBuilt(value)]) : []
        const workerData = isPlain(data) ? Object.fromEntries(entries) : data
        // tap has a loader of its own in what every process and thread is started with.
        const env = { ...process.env, NODE_OPTIONS: '' }
        super(new URL(toBuilt(String(file))), { ...options, workerData, execArgv: [], env })
      }
    }
  }
  syncBuiltinESMExports()
}
