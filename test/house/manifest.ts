/** A stale oclif.manifest.json hides a new command without a word. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { freshManifest } from '../../scripts/manifest.js'
import { projectRoot } from '../helpers/source-files.js'

t.test('oclif.manifest.json is what a build makes', async (t) => {
  const committed = readFileSync(join(projectRoot, 'oclif.manifest.json'), 'utf8')
  t.equal(committed, await freshManifest(projectRoot), 'run `npm run build` and commit oclif.manifest.json')
})
