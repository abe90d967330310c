import t from 'tap'
import { Opcode } from '../../../../../src/fs/drivers/direct/protocol.js'
import { kernelSide, u32, u64, type KernelSide } from '../../../../helpers/fuse-kernel-side.js'

const { MKNOD, OPEN, READ, WRITE, RELEASE, FSYNC, FLUSH, OPENDIR, FSYNCDIR, FALLOCATE, LSEEK, SYNCFS } = Opcode
const BEYOND = 2n ** 53n

function withFile(options: Parameters<typeof kernelSide>[0] = {}): KernelSide {
  const kernel = kernelSide(options)
  kernel.ask(MKNOD, 1, `${u32(0o104755)} 00000000 00000000 00000000 'f' 00`)
  return kernel
}

function read(offset: number | bigint, size: number): string {
  return u64(0) + u64(offset) + u32(size) + u32(0) + u64(0) + u32(0) + u32(0)
}

function write(offset: number | bigint, text: string, flags = 0, size = text.length): string {
  return `${u64(0)}${u64(offset)}${u32(size)}${u32(flags)}${u64(0)}${u32(0)}${u32(0)} '${text}'`
}

function hex(text: string): string {
  return Buffer.from(text, 'latin1').toString('hex')
}

t.test('WRITE and READ carry the content', (t) => {
  const kernel = withFile()
  t.equal(kernel.ask(WRITE, 2, write(0, 'hello')), '0500000000000000')
  t.equal(kernel.ask(WRITE, 2, write(3, 'p, world')), '0800000000000000')
  t.equal(kernel.ask(READ, 2, read(0, 100)), hex('help, world'))
  t.equal(kernel.ask(READ, 2, read(6, 3)), hex('wor'))
  t.equal(kernel.ask(READ, 2, read(11, 10)), '')
  t.equal(kernel.ask(WRITE, 2, write(0, '')), '0000000000000000')
  t.end()
})

t.test('WRITE that promises more than it holds is refused', (t) => {
  const kernel = withFile()
  t.equal(kernel.ask(WRITE, 2, write(0, 'abc', 0, 4)), -22)
  t.equal(kernel.ask(WRITE, 2, write(0, 'abc', 0, 0xffff_ffff)), -22)
  t.equal(kernel.files.nodes.get(2)?.size, 0)
  t.end()
})

t.test('positions beyond what a number holds: nothing to read, nothing can be written', (t) => {
  const kernel = withFile()
  t.equal(kernel.ask(READ, 2, read(BEYOND, 10)), '')
  t.equal(kernel.ask(WRITE, 2, write(BEYOND, 'x')), -27)
  t.equal(kernel.ask(LSEEK, 2, u64(0) + u64(BEYOND) + u32(3) + u32(0)), -27)
  t.equal(kernel.ask(READ, 2, read(0, 0x7fff_ffff)), -22, 'and no more at once than was agreed')
  t.end()
})

t.test('WRITE hands on that privileges must go', (t) => {
  const kernel = withFile()
  kernel.ask(WRITE, 2, write(0, 'x'))
  t.equal(kernel.files.nodes.get(2)?.mode, 0o104755)
  kernel.ask(WRITE, 2, write(0, 'x', 4))
  t.equal(kernel.files.nodes.get(2)?.mode, 0o100755)
  t.end()
})

t.test('OPEN, OPENDIR and FLUSH are not wanted', (t) => {
  const kernel = withFile()
  t.equal(kernel.ask(OPEN, 2, u64(0)), -38)
  t.equal(kernel.ask(OPENDIR, 1, u64(0)), -38)
  t.equal(kernel.ask(FLUSH, 2, u64(0).repeat(3)), -38)
  t.equal(kernel.ask(RELEASE, 2, u64(0).repeat(3)), '')
  t.end()
})

t.test('OPEN and OPENDIR are answered where every one must be checked', (t) => {
  const kernel = withFile({ onlyUid: 1000 })
  t.equal(kernel.ask(OPEN, 2, u64(0)), '0000000000000000' + '0200000000000000')
  t.equal(kernel.ask(OPENDIR, 1, u64(0)), '0000000000000000' + '0a00000000000000')
  t.end()
})

t.test('FSYNC, FSYNCDIR and SYNCFS are answered when all is durable', async (t) => {
  const kernel = withFile()
  let open = (): void => undefined
  kernel.files.syncGate = new Promise((resolve) => (open = resolve))
  const asked = [FSYNC, FSYNCDIR, SYNCFS].map((opcode) => kernel.send(opcode, 2, u64(0) + u64(0)))
  t.equal(kernel.replies.length, 1, 'nothing is said yet (one reply was the MKNOD)')
  open()
  for (const { later } of asked) await later
  const expected = asked.map(({ unique }) => ({ unique, error: 0, body: '' }))
  t.same(kernel.replies.slice(1), expected)
})

t.test('FALLOCATE, LSEEK and COPY_FILE_RANGE carry their numbers', (t) => {
  const kernel = withFile()
  t.equal(kernel.ask(FALLOCATE, 2, u64(0) + u64(4096) + u64(904) + u32(0) + u32(0)), '')
  t.equal(kernel.files.nodes.get(2)?.size, 5000)
  t.equal(kernel.ask(LSEEK, 2, u64(0) + u64(7) + u32(3) + u32(0)), u64(7), 'SEEK_DATA')
  t.equal(kernel.ask(LSEEK, 2, u64(0) + u64(7) + u32(4) + u32(0)), u64(5000), 'SEEK_HOLE')
  t.equal(kernel.ask(LSEEK, 2, u64(0) + u64(5000) + u32(3) + u32(0)), -6)
  kernel.ask(WRITE, 2, write(0, 'copied'))
  kernel.ask(MKNOD, 1, `${u32(0o100644)} 00000000 00000000 00000000 'g' 00`)
  const huge = 2n ** 64n - 1n
  const copy = u64(0) + u64(2) + u64(3) + u64(0) + u64(1) + u64(huge) + u64(0)
  t.equal(kernel.ask(Opcode.COPY_FILE_RANGE, 2, copy), `${u32(4998)}00000000`)
  t.equal(kernel.ask(READ, 3, read(1, 4)), hex('pied'))
  t.end()
})
