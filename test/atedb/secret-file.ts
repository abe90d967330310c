import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { IDENTITY, keepSecret, loadOrMakeSecret, STORAGE } from '../../src/atedb/secret-file.js'

t.test('a secret is made once, for its owner alone, and is there again', (t) => {
  const directory = t.testdir()
  const path = join(directory, 'a/b/identity')
  const secret = loadOrMakeSecret(path, IDENTITY)
  t.equal(secret.length, 64)
  t.equal(statSync(path).mode & 0o777, 0o600)
  t.equal(statSync(join(directory, 'a')).mode & 0o777, 0o700)
  t.same(loadOrMakeSecret(path, IDENTITY), secret)
  t.same(readdirSync(join(directory, 'a/b')), ['identity'])
  t.notSame(loadOrMakeSecret(join(directory, 'other'), IDENTITY), secret)
  t.throws(() => loadOrMakeSecret(path, STORAGE), { code: 'BAD_FORMAT' }, 'it is of another kind')
  t.end()
})

t.test('what is damaged, open to others, or no file is refused, and never replaced', (t) => {
  const directory = t.testdir()
  const path = join(directory, 'identity')
  loadOrMakeSecret(path, IDENTITY)
  const whole = readFileSync(path)
  for (let at = 0; at < whole.length; at += 7) {
    const flipped = Buffer.from(whole)
    flipped[at] = (flipped[at] ?? 0) ^ 1
    for (const bytes of [flipped, whole.subarray(0, at), Buffer.concat([whole, whole.subarray(0, at + 1)])]) {
      writeFileSync(path, bytes)
      t.throws(() => loadOrMakeSecret(path, IDENTITY), { code: 'BAD_FORMAT' }, `at ${at}`)
      t.same(readFileSync(path), bytes)
    }
  }
  writeFileSync(path, whole)
  chmodSync(path, 0o640)
  t.throws(() => loadOrMakeSecret(path, IDENTITY), { code: 'ACCESS_DENIED', hint: /chmod 600/ })
  mkdirSync(join(directory, 'directory'))
  t.throws(() => loadOrMakeSecret(join(directory, 'directory'), IDENTITY), { code: 'BAD_FORMAT' })
  symlinkSync(path, join(directory, 'link'))
  t.throws(() => loadOrMakeSecret(join(directory, 'link'), IDENTITY), { name: 'AteError' })
  t.end()
})

t.test('a copy of a secret is kept once, and never in the place of another one', (t) => {
  const path = join(t.testdir(), 'copy')
  const [one, other] = [1, 2].map((byte) => new Uint8Array(STORAGE.bytes).fill(byte))
  if (one === undefined || other === undefined) throw new Error('two secrets')
  keepSecret(path, STORAGE, one)
  keepSecret(path, STORAGE, one)
  t.throws(() => keepSecret(path, STORAGE, other), { code: 'BAD_ARGUMENT' })
  t.same(loadOrMakeSecret(path, STORAGE), one)
  t.end()
})
