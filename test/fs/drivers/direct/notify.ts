import t from 'tap'
import {
  attributesChanged,
  entryChanged,
  entryDeleted,
  inodeChanged,
  Notifier,
} from '../../../../src/fs/drivers/direct/notify.js'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Name } from '../../../../src/fs/vfs/types.js'
import { u32, u64 } from '../../../helpers/fuse-kernel-side.js'

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

function header(length: number, kind: number): string {
  return u32(length) + u32(kind) + u64(0)
}

t.test('notifications, byte for byte', (t) => {
  const name = 'n\xff' as Name
  t.equal(hex(inodeChanged(5, 4096, 100)), header(40, 2) + u64(5) + u64(4096) + u64(100))
  t.equal(hex(attributesChanged(2 ** 53 - 1)), header(40, 2) + u64(2 ** 53 - 1) + u64(-1) + u64(0))
  t.equal(hex(entryChanged(1, name)), header(35, 3) + u64(1) + u32(2) + u32(0) + '6eff00')
  t.equal(hex(entryDeleted(1, name, 9)), header(43, 6) + u64(1) + u64(9) + u32(2) + u32(0) + '6eff00')
  t.end()
})

t.test('the thread writes them in order, each whole, and says when', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'atefs-notify-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'device')
  const fd = openSync(file, 'w')
  t.teardown(() => closeSync(fd))
  const notifier = new Notifier(fd)
  t.teardown(() => notifier.close())
  const sent = Array.from({ length: 100 }, (_, i) => inodeChanged(i, 0, 0))
  let told = 0
  const all = sent.map(async (bytes, i) => {
    await notifier.send(bytes)
    t.equal(told++, i)
  })
  for (const one of all) await one
  t.same(readFileSync(file), Buffer.concat(sent))
})

t.test('what the kernel does not take holds up nothing', async (t) => {
  const readOnly = openSync('/dev/null', 'r')
  t.teardown(() => closeSync(readOnly))
  const notifier = new Notifier(readOnly)
  await notifier.send(inodeChanged(1, 0, 0))
  await notifier.send(inodeChanged(2, 0, 0))
  await notifier.close()
})
