import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { makeDirectory } from '../../../src/adapters/node/make-directory.js'
import { createChain } from '../../../src/adapters/node/open-chain.js'

const base = mkdtempSync(join(tmpdir(), 'atefs-directory-'))
t.teardown(() => rmSync(base, { recursive: true }))

await t.test('makes those above too, and is content with what is there', async (t) => {
  const path = join(base, 'a', 'b', 'c')
  makeDirectory(path, 0o700)
  makeDirectory(path, 0o755)
  t.equal(statSync(path).mode & 0o777, 0o700)
})

await t.test('says what is in the way', async (t) => {
  writeFileSync(join(base, 'file'), '')
  t.throws(() => makeDirectory(join(base, 'file'), 0o700), { code: 'EEXIST' })
  t.throws(() => makeDirectory(join(base, 'file', 'below'), 0o700), { code: /EEXIST|ENOTDIR/ })
})

await t.test('a file system that makes no directories is not asked for ever', async (t) => {
  t.throws(() => makeDirectory('/proc/none/below', 0o700), { code: 'ENOENT' })
  const options = {
    directory: '/proc/none/chain',
    secret: { kind: 'temporary' },
    anchorDirectory: undefined,
    readOnly: false,
    allowDamage: false,
    acceptRollback: false,
    keyBits: 256,
    onProgress: () => undefined,
    onNotice: () => undefined,
  } as const
  await t.rejects(createChain(options), { code: 'INPUT_OUTPUT', message: /directory of the log/ })
})
