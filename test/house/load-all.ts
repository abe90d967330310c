/** Loads every source file: one that no test reaches is at least seen to parse, resolve and start nothing. */
import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import t from 'tap'
import { filesBelow, projectRoot } from '../helpers/source-files.js'

/** What does something when it is loaded: the entry points of other threads and processes. */
const ENTRY_POINTS = new Set(['src/adapters/node/commit-worker.ts', 'src/cli/daemon-entry.ts'])

t.test('every source file loads', async (t) => {
  for (const { path } of filesBelow('src', '.ts')) {
    if (ENTRY_POINTS.has(path) || path.endsWith('.d.ts')) continue
    await t.resolves(import(pathToFileURL(join(projectRoot, path)).href), path)
  }
})
