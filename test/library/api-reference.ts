/** `npm run docs:api` writes a reference that has everything the package exports. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import * as crypto from '../../src/crypto.js'
import * as library from '../../src/index.js'
import { projectRoot } from '../helpers/source-files.js'

t.test('the reference is made without a warning, and has every export', (t) => {
  const out = t.testdir()
  const generator = join(projectRoot, 'node_modules/typedoc/bin/typedoc')
  const { status, stdout, stderr } = spawnSync(process.execPath, [generator, '--out', out], {
    cwd: projectRoot,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  t.equal(status, 0, stdout + stderr)
  for (const [page, names] of [
    ['index.md', Object.keys(library)],
    ['browser.md', ['ChainBuilder', 'AteConfig', 'dataType']],
    ['crypto.md', Object.keys(crypto)],
  ] as const) {
    const text = readFileSync(join(out, page), 'utf8')
    for (const name of names) t.match(text, new RegExp(`^### ${name}`, 'm'), `${page} has ${name}`)
  }
  t.end()
})
