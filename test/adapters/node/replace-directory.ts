/** A directory in the place of another one. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { exchangeNames } from '../../../src/adapters/node/libc/exchange.js'
import { freeName, replaceDirectory } from '../../../src/adapters/node/replace-directory.js'

function directories(t: Test, ...names: string[]): string {
  const root = mkdtempSync(join(tmpdir(), 'atefs-replace-'))
  t.teardown(() => rmSync(root, { recursive: true }))
  for (const name of names) {
    mkdirSync(join(root, name))
    writeFileSync(join(root, name, 'manifest'), name)
  }
  return root
}

t.test('both change places at once, and the old one is kept aside', async (t) => {
  const root = directories(t, 'new', 'old')
  t.ok(exchangeNames(join(root, 'new'), join(root, 'old')), 'this file system can')
  t.equal(readFileSync(join(root, 'old', 'manifest'), 'utf8'), 'new')
  t.ok(exchangeNames(join(root, 'new'), join(root, 'old')))
  t.notOk(exchangeNames(join(root, 'new'), join(root, 'nothing')), 'not with what is not there')
  const aside = freeName(join(root, 'old'), 'replaced')
  t.equal(replaceDirectory(join(root, 'new'), join(root, 'old'), aside), aside)
  t.strictSame(readdirSync(root).sort(), ['old', 'old.replaced'])
  t.equal(readFileSync(join(root, 'old', 'manifest'), 'utf8'), 'new')
  t.equal(readFileSync(join(aside, 'manifest'), 'utf8'), 'old')
  t.equal(freeName(join(root, 'old'), 'replaced'), join(root, 'old.replaced-2'))
})

t.test('when the old one cannot be kept aside, it stays where it is', async (t) => {
  const root = directories(t, 'new', 'old')
  const aside = join(root, 'nothing', 'aside')
  t.throws(() => replaceDirectory(join(root, 'new'), join(root, 'old'), aside))
  t.equal(readFileSync(join(root, 'old', 'manifest'), 'utf8'), 'old')
  t.equal(readFileSync(join(root, 'new', 'manifest'), 'utf8'), 'new', 'who staged it may delete it')
})

t.test('where nothing is, or the lock of who asks only, nothing is kept', async (t) => {
  const root = directories(t, 'a', 'b')
  t.equal(replaceDirectory(join(root, 'a'), join(root, 'below', 'place'), join(root, 'aside')), undefined)
  mkdirSync(join(root, 'locked'))
  writeFileSync(join(root, 'locked', 'lock'), '')
  t.equal(replaceDirectory(join(root, 'b'), join(root, 'locked'), join(root, 'aside')), undefined)
  t.strictSame(readdirSync(join(root, 'locked')), ['manifest'])
  t.notOk(existsSync(join(root, 'aside')))
})
