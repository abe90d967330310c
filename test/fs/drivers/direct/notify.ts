import t, { type Test } from 'tap'
import {
  attributesChanged,
  entryChanged,
  entryDeleted,
  inodeChanged,
  namesChanged,
} from '../../../../src/fs/drivers/direct/notify.js'
import { Notifier } from '../../../../src/fs/drivers/direct/notifier.js'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
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
  t.equal(hex(namesChanged()), header(16, 8))
  t.end()
})

const noWarning = (message: string): void => void t.fail(message)

function openDevice(t: Test): { file: string; fd: number } {
  const directory = mkdtempSync(join(tmpdir(), 'atefs-notify-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'device')
  return { file, fd: openSync(file, 'w') }
}

t.test('the thread writes them in order, each whole, and says when', async (t) => {
  const { file, fd } = openDevice(t)
  t.teardown(() => closeSync(fd))
  const notifier = new Notifier(fd, noWarning)
  t.teardown(() => notifier.close())
  const sent = Array.from({ length: 100 }, (_, i) => inodeChanged(i, 0, 0))
  let told = 0
  const all = sent.map(async (bytes, i) => {
    t.equal(await notifier.send(bytes), 'taken')
    t.equal(told++, i)
  })
  for (const one of all) await one
  t.same(readFileSync(file), Buffer.concat(sent))
})

t.test('what the kernel does not take holds up nothing', async (t) => {
  const readOnly = openSync('/dev/null', 'r')
  t.teardown(() => closeSync(readOnly))
  const notifier = new Notifier(readOnly, noWarning)
  await notifier.send(inodeChanged(1, 0, 0))
  await notifier.send(inodeChanged(2, 0, 0))
  await notifier.close()
})

t.test('nothing is written to a descriptor that was closed and stands for another file', async (t) => {
  const [first, other] = [openDevice(t), openDevice(t)]
  const used = new Notifier(first.fd, noWarning)
  const unused = new Notifier(first.fd, noWarning)
  await used.send(inodeChanged(1, 0, 0))
  closeSync(other.fd)
  closeSync(first.fd)
  const reused = [openSync(other.file, 'w'), openSync(other.file, 'w')]
  t.teardown(() => reused.forEach((fd) => closeSync(fd)))
  t.ok(reused.includes(first.fd))
  t.equal(await used.send(inodeChanged(2, 0, 0)), 'taken', 'the thread has a descriptor of its own')
  const ends = [used.close(), unused.close()]
  for (const closed of [used, unused]) void closed.send(inodeChanged(3, 0, 0)).then(() => t.fail('closed'))
  for (const end of ends) await end
  await sleep(100)
  t.equal(readFileSync(other.file).length, 0)
  t.equal(readFileSync(first.file).length, 80, 'and what was sent before is there')
})

t.test('a thread that cannot be started is a warning, and the next notification tries again', async (t) => {
  const warnings: string[] = []
  const notifier = new Notifier(-1, (message) => warnings.push(message))
  t.equal(await notifier.send(inodeChanged(1, 0, 0)), 'failed')
  t.equal(await notifier.send(inodeChanged(1, 0, 0)), 'failed')
  t.equal(warnings.length, 2)
  await notifier.close()
})
