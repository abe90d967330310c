import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { makePrivateDirectory, standardPaths } from '../../../src/adapters/node/standard-paths.js'

const directory = mkdtempSync(join(tmpdir(), 'atefs-paths-'))
t.teardown(() => rmSync(directory, { recursive: true }))

t.test('without XDG variables everything lies below HOME', async (t) => {
  t.same(standardPaths({ HOME: '/h' }), {
    chains: '/h/.local/share/atefs',
    anchors: '/h/.local/state/atefs/anchors',
    logs: '/h/.local/state/atefs',
    runtime: '/h/.local/state/atefs/run',
  })
})

t.test('XDG variables are followed, relative ones ignored', async (t) => {
  const environment = { HOME: '/h', XDG_DATA_HOME: '/d', XDG_STATE_HOME: 's', XDG_RUNTIME_DIR: directory }
  const paths = standardPaths(environment)
  t.equal(paths.chains, '/d/atefs')
  t.equal(paths.anchors, '/h/.local/state/atefs/anchors')
  t.equal(paths.runtime, join(directory, 'atefs'))
})

t.test('a runtime directory that is gone is not used', async (t) => {
  const paths = standardPaths({ HOME: '/h', XDG_RUNTIME_DIR: join(directory, 'gone') })
  t.equal(paths.runtime, '/h/.local/state/atefs/run')
})

t.test('directories are made for their owner only', async (t) => {
  const made = join(directory, 'a', 'b')
  makePrivateDirectory(made)
  makePrivateDirectory(made)
  t.equal(statSync(made).mode & 0o777, 0o700)
  t.equal(statSync(join(directory, 'a')).mode & 0o777, 0o700)
  chmodSync(made, 0o700)
  t.throws(() => makePrivateDirectory('/proc/self/nothing'), { code: 'ACCESS_DENIED', message: /\(ENOENT\)$/ })
})
