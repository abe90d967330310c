import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { AnchorFile } from '../../../src/adapters/node/anchor-file.js'

function place(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'atefs-anchor-'))
  t.teardown(() => rmSync(path, { recursive: true }))
  return join(path, 'state', 'anchor')
}

await t.test('an anchor is overwritten in place and read back by another', async (t) => {
  const path = place(t)
  const anchor = new AnchorFile(path)
  t.equal(await anchor.read(), undefined)
  anchor.write(new Uint8Array(128).fill(1))
  const { ino } = statSync(path)
  anchor.write(new Uint8Array(128).fill(2))
  anchor.sync()
  anchor.close()
  anchor.close()
  t.equal(statSync(path).ino, ino)
  t.equal(statSync(path).mode & 0o777, 0o600)
  const other = new AnchorFile(path)
  t.same(await other.read(), new Uint8Array(128).fill(2))
  other.close()
})

await t.test('a reader makes and changes nothing', async (t) => {
  const path = place(t)
  const anchor = new AnchorFile(path, { readOnly: true })
  t.equal(await anchor.read(), undefined)
  anchor.write(new Uint8Array(128))
  anchor.sync()
  anchor.close()
  t.notOk(existsSync(path))
})

await t.test('a link or a huge file in its place is neither followed nor read whole', async (t) => {
  const path = place(t)
  new AnchorFile(path).write(new Uint8Array(128))
  rmSync(path)
  writeFileSync(`${path}.other`, new Uint8Array(1_000_000))
  symlinkSync(`${path}.other`, path)
  await t.rejects(new AnchorFile(path).read(), { code: 'INPUT_OUTPUT' })
  t.throws(() => new AnchorFile(path).write(new Uint8Array(128)), { code: 'INPUT_OUTPUT' })
  t.equal((await new AnchorFile(`${path}.other`).read())?.length, 1024)
})
