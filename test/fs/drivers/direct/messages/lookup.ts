import t from 'tap'
import { Opcode } from '../../../../../src/fs/drivers/direct/protocol.js'
import { attr, entry, kernelSide, u32, u64 } from '../../../../helpers/fuse-kernel-side.js'

const { LOOKUP, FORGET, MKNOD, UNLINK, BATCH_FORGET } = Opcode
const REGULAR = 0o100644

t.test('LOOKUP answers with an entry, byte for byte, and retains the inode', (t) => {
  const kernel = kernelSide()
  kernel.ask(MKNOD, 1, `${u32(REGULAR)} 00000000 12000000 00000000 'a' 00`)
  const reply = kernel.ask(LOOKUP, 1, "'a' 00")
  t.equal(
    reply,
    '02000000000000000000000000000000' + // nodeid, generation
      '100e000000000000100e000000000000' + // an hour each
      '0000000000000000' +
      '020000000000000000000000000000000000000000000000' + // ino, size, blocks
      '00f153650000000000f153650000000000f1536500000000' + // times
      'c0d45407c0d45407c0d45407' +
      'a481000001000000000000000000000000000000' + // mode, nlink, uid, gid, rdev
      '0000010000000000',
  )
  t.equal(reply, entry({ ino: 2, mode: REGULAR }))
  t.equal(kernel.files.nodes.get(2)?.references, 2)
  t.end()
})

t.test('LOOKUP of what is not there is an entry without a node that the kernel may remember', (t) => {
  t.equal(kernelSide().ask(LOOKUP, 1, "'none' 00"), `${u64(0)}${u64(0)}${u64(3600)}`.padEnd(256, '0'))
  t.end()
})

t.test('LOOKUP knows names that are not text, and dots', (t) => {
  const kernel = kernelSide()
  kernel.ask(MKNOD, 1, `${u32(REGULAR)} 00000000 00000000 00000000 ff80fe 00`)
  t.equal(kernel.ask(LOOKUP, 1, 'ff80fe00'), entry({ ino: 2, mode: REGULAR }))
  t.match(kernel.ask(LOOKUP, 1, '2e00'), new RegExp(`${attr({ ino: 1, mode: 0o40755, nlink: 2 })}$`))
  t.match(kernel.ask(LOOKUP, 1, '2e2e00'), new RegExp(`${attr({ ino: 1, mode: 0o40755, nlink: 2 })}$`))
  t.end()
})

t.test('LOOKUP of a dot finds what a handle of long ago means, a file too, or says that it is gone', (t) => {
  const kernel = kernelSide()
  kernel.ask(MKNOD, 1, `${u32(REGULAR)} 00000000 00000000 00000000 'a' 00`)
  t.equal(kernel.ask(LOOKUP, 2, '2e00'), entry({ ino: 2, mode: REGULAR }))
  t.equal(kernel.ask(LOOKUP, 3, '2e00'), -116)
  t.end()
})

t.test('names too long, empty, endless or with a slash are refused', (t) => {
  const kernel = kernelSide()
  t.equal(kernel.ask(LOOKUP, 1, `'${'n'.repeat(256)}' 00`), -36)
  t.type(kernel.ask(LOOKUP, 1, `'${'n'.repeat(255)}' 00`), 'string')
  for (const name of ['00', '0000', "'a'", "'ab'", "'a/b' 00", "'a' 00 'b' 00"]) {
    t.equal(kernel.ask(LOOKUP, 1, name), -22, name)
  }
  t.end()
})

t.test('FORGET and BATCH_FORGET release what was looked up, and have no reply', (t) => {
  const kernel = kernelSide()
  for (const name of ['a', 'b']) {
    kernel.ask(MKNOD, 1, `${u32(REGULAR)} 00000000 00000000 00000000 '${name}' 00`)
    kernel.ask(LOOKUP, 1, `'${name}' 00`)
    kernel.ask(UNLINK, 1, `'${name}' 00`)
  }
  const replies = kernel.replies.length
  t.equal(kernel.files.nodes.size, 3, 'alive while the kernel knows them')
  kernel.send(FORGET, 2, u64(1))
  t.equal(kernel.files.nodes.size, 3)
  kernel.send(FORGET, 2, u64(1))
  t.equal(kernel.files.nodes.size, 2)
  kernel.send(BATCH_FORGET, 0, `${u32(2)} 00000000 ${u64(3)}${u64(1)} ${u64(3)}${u64(1)}`)
  t.equal(kernel.files.nodes.size, 1)
  t.equal(kernel.replies.length, replies)
  t.end()
})

t.test('BATCH_FORGET that promises more than it holds ends where the request ends', (t) => {
  const kernel = kernelSide()
  kernel.ask(MKNOD, 1, `${u32(REGULAR)} 00000000 00000000 00000000 'a' 00`)
  kernel.send(BATCH_FORGET, 0, `${u32(0xffff_ffff)} 00000000 ${u64(2)}${u64(1)} 0011`)
  t.equal(kernel.files.nodes.get(2)?.references, 0)
  t.end()
})
