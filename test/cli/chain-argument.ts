import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { findChain } from '../../src/cli/chain-argument.js'

t.test('a chain is found by its name, or because it is the only one', async (t) => {
  const logPath = mkdtempSync(join(tmpdir(), 'atefs-chains-'))
  t.teardown(() => rmSync(logPath, { recursive: true }))
  const make = (name: string, ...files: string[]): void => {
    mkdirSync(join(logPath, name))
    for (const file of files) writeFileSync(join(logPath, name, file), '')
  }
  t.throws(() => findChain(undefined, logPath), { code: 'CHAIN_NOT_FOUND' })
  make('photos', 'cat.jpg')
  make('unfinished', 'lock')
  t.throws(() => findChain(undefined, logPath), { code: 'CHAIN_NOT_FOUND' })
  make('a', 'manifest', 'keyring')
  t.same(findChain(undefined, logPath), { name: 'a', directory: join(logPath, 'a'), presence: 'passphrase' })
  make('b', 'manifest', 'key')
  t.throws(() => findChain(undefined, logPath), { code: 'BAD_ARGUMENT', hint: /a, b/ })
  t.equal(findChain('b', logPath).presence, 'key-file')
  t.throws(() => findChain('photos', logPath), { code: 'NOT_A_CHAIN' })
  t.throws(() => findChain('unfinished', logPath), { code: 'CHAIN_NOT_FOUND' })
  t.throws(() => findChain('../a', logPath), { code: 'BAD_ARGUMENT' })
  t.throws(() => findChain(undefined, join(logPath, 'none')), { code: 'CHAIN_NOT_FOUND' })
})
