import t from 'tap'
import { Opcode } from '../../../../../src/fs/drivers/direct/protocol.js'
import { kernelSide, u32 } from '../../../../helpers/fuse-kernel-side.js'

const { ACCESS, BMAP, INIT, IOCTL, POLL, STATX } = Opcode
const SETLK = 32

function init(major: number, minor: number, flags: number): string {
  return `${u32(major)}${u32(minor)}${u32(131072)}${u32(flags)}${'00'.repeat(48)}`
}

t.test('INIT asks for what is wanted of what there is, byte for byte', async (t) => {
  const kernel = kernelSide()
  t.equal(
    kernel.ask(INIT, 0, init(7, 45, 0xffff_ffff)),
    '0700000026000000' + // 7.38
      '00001000' + // max_readahead
      '71e0d633' + // flags
      '40003000' + // max_background, congestion_threshold
      '00001000' + // max_write
      '01000000' + // time_gran
      '00010000' + // max_pages, map_alignment
      '00'.repeat(32),
  )
  t.equal(await kernel.session.ready, true)
})

t.test('INIT never asks for the writeback cache, atomic truncation, locks or splicing', (t) => {
  const reply = kernelSide().ask(INIT, 0, init(7, 45, 0xffff_ffff))
  const flags = Buffer.from(String(reply), 'hex').readUInt32LE(12)
  const never = (1 << 16) | (1 << 3) | (1 << 1) | (1 << 10) | (1 << 7) | (1 << 8) | (1 << 9) | (1 << 12) | (1 << 19)
  t.equal(flags & never, 0)
  t.end()
})

t.test('INIT takes no flag that the kernel does not offer', (t) => {
  t.match(kernelSide().ask(INIT, 0, init(7, 32, 1 << 5)), `${u32(7)}${u32(38)}${u32(1 << 20)}${u32(1 << 5)}`)
  t.end()
})

t.test('a kernel of a later major is asked to speak ours', (t) => {
  const kernel = kernelSide()
  t.equal(kernel.ask(INIT, 0, init(8, 0, 0xffff_ffff)), `${u32(7)}${u32(38)}`.padEnd(128, '0'))
  t.match(kernel.ask(INIT, 0, init(7, 45, 1)), `${u32(7)}${u32(38)}${u32(1 << 20)}${u32(1)}`, 'and then does')
  t.end()
})

t.test('a kernel that is too old is refused', async (t) => {
  for (const [major, minor] of [
    [7, 31],
    [6, 99],
  ] as const) {
    const kernel = kernelSide()
    t.equal(kernel.ask(INIT, 0, init(major, minor, 0)), -71)
    t.equal(await kernel.session.ready, false)
    t.equal(kernel.session.refusedProtocol, `${major}.${minor}`)
  }
})

t.test('what the kernel must not ask again, or does itself, is not implemented', (t) => {
  const kernel = kernelSide()
  for (const opcode of [ACCESS, BMAP, POLL, STATX, SETLK, 48, 63, 64, 4096, 0xffff_ffff]) {
    t.equal(kernel.ask(opcode, 1, '00'.repeat(64)), -38, String(opcode))
  }
  t.equal(kernel.ask(IOCTL, 1, '00'.repeat(32)), -25, 'ENOTTY')
  t.end()
})
