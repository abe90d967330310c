/** What everyday operations cost in messages. Each is a switch to the daemon and back: about 10 us, 100 across cores. */
import * as fs from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Opcode } from '../../../../src/fs/drivers/direct/protocol.js'
import { DirectMountProcess } from '../../../helpers/direct-mount.js'

const FILES = 20
const nameOf = new Map<number, string>(Object.entries(Opcode).map(([name, opcode]) => [opcode, name]))

const mount = DirectMountProcess.start(t)

async function openMount(t: Test) {
  await mount.mount(t)
  const directory = join(mount.mountpoint, 'd')
  fs.mkdirSync(directory)
  // The kernel asks once for OPEN and FLUSH, and learns that they are not wanted.
  fs.writeFileSync(join(directory, 'first'), '')
  fs.readFileSync(join(directory, 'first'))
  const path = (i: number): string => join(directory, `f${i}`)
  /** Messages of one of FILES equal operations, by name. Not those once in a while, nor FORGET, which nobody waits for. */
  const costOf = async (operation: (path: string, i: number) => void): Promise<Record<string, number>> => {
    await mount.counts()
    for (let i = 0; i < FILES; i++) operation(path(i), i)
    const counts = Object.entries(await mount.counts())
    const replied = counts.filter(([opcode]) => Number(opcode) !== Opcode.FORGET)
    const each = replied.map(
      ([opcode, count]) => [nameOf.get(Number(opcode)) ?? opcode, Math.round(count / FILES)] as const,
    )
    return Object.fromEntries(each.filter(([, count]) => count > 0))
  }
  return { directory, path, costOf }
}

const CONTENT = Buffer.alloc(4096, 1)

function create(path: string, flags = 'w'): void {
  const fd = fs.openSync(path, flags)
  fs.writeSync(fd, CONTENT)
  fs.closeSync(fd)
}

t.test('create, write 4 KiB and close: five', async (t) => {
  const { costOf } = await openMount(t)
  // GETATTR: of the directory, whose times the kernel knows to have changed. GETXATTR: security.capability.
  t.same(await costOf((path) => create(path)), { LOOKUP: 1, GETATTR: 1, CREATE: 1, GETXATTR: 1, WRITE: 1 })
})

t.test('making other nodes and renaming: three; removing: two', async (t) => {
  const { costOf } = await openMount(t)
  t.same(await costOf((path) => fs.mkdirSync(path)), { LOOKUP: 1, GETATTR: 1, MKDIR: 1 })
  t.same(await costOf((path) => fs.symlinkSync('to', `${path}s`)), { LOOKUP: 1, GETATTR: 1, SYMLINK: 1 })
  t.same(await costOf((path) => fs.renameSync(path, `${path}r`)), { LOOKUP: 1, GETATTR: 1, RENAME: 1 })
  t.same(await costOf((path) => fs.rmdirSync(`${path}r`)), { GETATTR: 1, RMDIR: 1 })
  t.same(await costOf((path) => fs.unlinkSync(`${path}s`)), { GETATTR: 1, UNLINK: 1 })
})

t.test('what the kernel knows: nothing', async (t) => {
  const { costOf, directory } = await openMount(t)
  for (let i = 0; i < FILES; i++) create(join(directory, `f${i}`))
  await costOf((path) => fs.statSync(path))
  t.same(await costOf((path) => fs.statSync(path)), {}, 'stat')
  t.same(await costOf((path) => fs.readFileSync(path)), {}, 'open, read, close')
  t.same(await costOf((path) => fs.accessSync(path, fs.constants.R_OK)), {}, 'access')
  t.same(await costOf((path) => fs.closeSync(fs.openSync(path, 'r+'))), {}, 'open for writing')
  await costOf((path) => fs.existsSync(`${path}.absent`))
  t.same(await costOf((path) => fs.existsSync(`${path}.absent`)), {}, 'what is not there')
  await costOf(() => fs.readdirSync(directory))
  t.same(await costOf(() => fs.readdirSync(directory)), {}, 'a listing')
})

t.test('an open with O_TRUNC truncates, and a write to an open file is one message', async (t) => {
  const { costOf, directory } = await openMount(t)
  for (let i = 0; i < FILES; i++) create(join(directory, `f${i}`))
  await costOf((path) => fs.statSync(path))
  const truncating = await costOf((path) => fs.closeSync(fs.openSync(path, 'w')))
  t.same(truncating, { GETXATTR: 1, SETATTR: 1 })
  t.equal(fs.statSync(join(directory, 'f0')).size, 0)
  const fd = fs.openSync(join(directory, 'log'), 'a')
  fs.writeSync(fd, CONTENT)
  t.same(await costOf(() => fs.writeSync(fd, CONTENT)), { WRITE: 1 })
  fs.closeSync(fd)
})

t.test('a listing with attributes gives the kernel all it needs for stat', async (t) => {
  const { costOf } = await openMount(t)
  // Made where the kernel does not see it, so that it knows nothing of them.
  for (let i = 0; i < FILES; i++) await mount.ask({ call: 'addElsewhere', name: `f${i}` })
  fs.readdirSync(mount.mountpoint)
  t.same(await costOf((_path, i) => fs.statSync(join(mount.mountpoint, `f${i}`))), {})
})
