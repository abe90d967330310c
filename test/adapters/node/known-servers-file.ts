import { appendFileSync, chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { KnownServersFile } from '../../../src/adapters/node/known-servers-file.js'
import { parseServerKeyId } from '../../../src/wire/index.js'

const key = parseServerKeyId('ab'.repeat(32))
const otherKey = parseServerKeyId('cd'.repeat(32))

t.test('what is remembered is found again, in a file for its owner only', async (t) => {
  const path = join(t.testdir(), 'state', 'atefs', 'known-servers')
  const known = new KnownServersFile(path)
  t.equal(await known.find('a:5000'), undefined)
  t.equal(await known.remember('a:5000', key), key)
  t.equal(await known.remember('[::1]:5000', otherKey), otherKey)
  const again = new KnownServersFile(path)
  t.equal(await again.find('a:5000'), key)
  t.equal(await again.find('[::1]:5000'), otherKey)
  t.equal(await again.find('a:5001'), undefined)
  t.equal(statSync(path).mode & 0o777, 0o600)
  t.equal(statSync(join(path, '..')).mode & 0o777, 0o700)
  t.equal(readFileSync(path, 'utf8'), `a:5000 ${key}\n[::1]:5000 ${otherKey}\n`)
})

t.test('the first key counts, whoever comes later', async (t) => {
  const path = join(t.testdir(), 'known-servers')
  const one = new KnownServersFile(path)
  const other = new KnownServersFile(path)
  t.equal(await one.remember('a:5000', key), key)
  t.equal(await other.remember('a:5000', otherKey), key)
  appendFileSync(path, `a:5000 ${otherKey}\n`)
  t.equal(await one.find('a:5000'), key)
})

t.test('a damaged file is refused: it must not make every server look new', async (t) => {
  const path = join(t.testdir(), 'known-servers')
  const damaged = [
    `a:5000 ${key}\nb:5000 ${key.slice(1)}\n`,
    `a:5000 ${key} more\n`,
    `a:5000 ${key.toUpperCase()}\n`,
    'a:5000\n',
    '\0'.repeat(200),
    `a:5000 ${key}\n`.repeat(20_000),
  ]
  for (const content of damaged) {
    writeFileSync(path, content, { mode: 0o600 })
    const known = new KnownServersFile(path)
    await t.rejects(known.find('a:5000'), { code: 'BAD_FORMAT' }, JSON.stringify(content.slice(0, 100)))
    await t.rejects(known.remember('new:5000', key), { code: 'BAD_FORMAT' })
    t.equal(readFileSync(path, 'utf8').length, content.length, 'and stays as it is')
  }
})

t.test('a file that others can write, a link and a directory are refused', async (t) => {
  const directory = t.testdir()
  const path = join(directory, 'known-servers')
  writeFileSync(path, `a:5000 ${key}\n`)
  chmodSync(path, 0o620)
  await t.rejects(new KnownServersFile(path).find('a:5000'), { code: 'ACCESS_DENIED' })
  chmodSync(path, 0o644)
  t.equal(await new KnownServersFile(path).find('a:5000'), key, 'others may read it')
  symlinkSync(path, join(directory, 'link'))
  await t.rejects(new KnownServersFile(join(directory, 'link')).find('a:5000'), { code: 'INPUT_OUTPUT' })
  mkdirSync(join(directory, 'directory'))
  await t.rejects(new KnownServersFile(join(directory, 'directory')).remember('a:5000', key), { code: 'INPUT_OUTPUT' })
})

t.test('a name that cannot stand in a line is refused', async (t) => {
  const known = new KnownServersFile(join(t.testdir(), 'known-servers'))
  for (const name of ['', 'a b', `a:1 ${key}\nb:1`, 'a\u00e4', 'x'.repeat(301)])
    await t.rejects(known.remember(name, key), { code: 'BAD_ARGUMENT' })
})
