import t from 'tap'
import { Opcode } from '../../../../../src/fs/drivers/direct/protocol.js'
import type { Attributes, Ino, Name } from '../../../../../src/fs/vfs/types.js'
import { entry, kernelSide, KernelSide, NOW_MS, u32, u64 } from '../../../../helpers/fuse-kernel-side.js'
import { MemoryFileSystem } from '../../../../helpers/memory-file-system.js'

const { MKNOD, READDIR, READDIRPLUS } = Opcode

function list(cookie: number | bigint, size: number): string {
  return u64(0) + u64(cookie) + u32(size) + u32(0) + u64(0) + u32(0) + u32(0)
}

function dirent(ino: number, cookie: number, type: number, name: string): string {
  const padded = Buffer.alloc((name.length + 7) & ~7)
  padded.write(name, 'latin1')
  return u64(ino) + u64(cookie) + u32(name.length) + u32(type) + padded.toString('hex')
}

function fill(kernel: KernelSide, ...names: string[]): void {
  for (const name of names) kernel.ask(MKNOD, 1, `${u32(0o100644)} 00000000 00000000 00000000 '${name}' 00`)
}

t.test('READDIR lists names with inode, type and cookie, padded to 8 bytes', (t) => {
  const kernel = kernelSide()
  fill(kernel, 'a', '12345678', '\xff\x80')
  t.equal(
    kernel.ask(READDIR, 1, list(0, 4096)),
    dirent(1, 1, 4, '.') +
      dirent(1, 2, 4, '..') +
      dirent(2, 3, 8, 'a') +
      dirent(3, 4, 8, '12345678') +
      dirent(4, 5, 8, '\xff\x80'),
  )
  t.equal(dirent(2, 3, 8, 'a'), '0200000000000000' + '0300000000000000' + '0100000008000000' + '6100000000000000')
  t.equal(kernel.ask(READDIR, 1, list(4, 4096)), dirent(4, 5, 8, '\xff\x80'))
  t.equal(kernel.ask(READDIR, 1, list(5, 4096)), '')
  t.equal(kernel.files.nodes.get(2)?.references, 1, 'a name is not a reference')
  t.end()
})

t.test('a listing holds as many entries as fit, never part of one', (t) => {
  const kernel = kernelSide()
  fill(kernel, 'a')
  t.equal(kernel.ask(READDIR, 1, list(0, 64)), dirent(1, 1, 4, '.') + dirent(1, 2, 4, '..'))
  t.equal(kernel.ask(READDIR, 1, list(0, 63)), dirent(1, 1, 4, '.'))
  t.equal(kernel.ask(READDIR, 1, list(0, 31)), '')
  t.equal(kernel.ask(READDIR, 1, list(0, 0x8000_0000)), -22)
  t.equal(kernel.ask(READDIR, 1, list(2n ** 63n, 4096)), '', 'a cookie that is none of ours ends the listing')
  t.end()
})

t.test('READDIRPLUS gives attributes and takes a reference for each entry but the dots', (t) => {
  const kernel = kernelSide()
  fill(kernel, 'a', 'b')
  const none = '00'.repeat(128)
  t.equal(
    kernel.ask(READDIRPLUS, 1, list(0, 4096)),
    none +
      dirent(1, 1, 4, '.') +
      none +
      dirent(1, 2, 4, '..') +
      entry({ ino: 2, mode: 0o100644 }) +
      dirent(2, 3, 8, 'a') +
      entry({ ino: 3, mode: 0o100644 }) +
      dirent(3, 4, 8, 'b'),
  )
  t.equal(kernel.files.nodes.get(1)?.references, 0)
  t.equal(kernel.files.nodes.get(2)?.references, 2)
  t.end()
})

t.test('READDIRPLUS whose reply the kernel did not take leaves no reference', (t) => {
  const kernel = kernelSide()
  fill(kernel, 'a', 'name-of-another-length')
  kernel.verdict = -2
  kernel.ask(READDIRPLUS, 1, list(0, 4096))
  t.equal(kernel.files.nodes.get(2)?.references, 1)
  t.equal(kernel.files.nodes.get(3)?.references, 1)
  t.end()
})

class Damaged extends MemoryFileSystem {
  override getAttributes(ino: Ino): Attributes {
    if (ino === 2) throw new Error('unreadable')
    return super.getAttributes(ino)
  }
}

t.test('an unreadable inode is listed without attributes, beside the others', (t) => {
  const kernel = new KernelSide(new Damaged(() => NOW_MS))
  fill(kernel, 'bad', 'good')
  const entries =
    '00'.repeat(128) + dirent(2, 3, 8, 'bad') + entry({ ino: 3, mode: 0o100644 }) + dirent(3, 4, 8, 'good')
  t.equal(kernel.ask(READDIRPLUS, 1, list(2, 4096)), entries)
  t.end()
})

class Slow extends MemoryFileSystem {
  failure: Error | undefined

  override async readDirectory(...args: Parameters<MemoryFileSystem['readDirectory']>): Promise<void> {
    await Promise.resolve()
    await super.readDirectory(...args)
    if (this.failure !== undefined) throw this.failure
  }
}

t.test('a listing that comes later is the same, and one that fails late leaves no reference', async (t) => {
  const kernel = new KernelSide(new Slow(() => NOW_MS), { onWarning: () => undefined })
  fill(kernel, 'a')
  t.equal(await kernel.askLater(READDIR, 1, list(2, 4096)), dirent(2, 3, 8, 'a'))
  kernel.files.failure = new Error('broken')
  t.equal(await kernel.askLater(READDIRPLUS, 1, list(0, 4096)), -5)
  t.equal(kernel.files.nodes.get(2)?.references, 1)
  t.equal(kernel.files.lookup(1, 'a' as Name)?.ino, 2)
})
