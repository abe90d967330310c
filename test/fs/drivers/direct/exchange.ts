import t from 'tap'
import { Exchange } from '../../../../src/fs/drivers/direct/exchange.js'
import { request } from '../../../helpers/fuse-kernel-side.js'

t.test('a request that says another length than it has, or is shorter than a header, is none', (t) => {
  const x = new Exchange(4096)
  const length = request(x.bytes, 1, 1, "'a' 00", 2)
  t.equal(x.begin(length), true)
  t.equal(x.begin(length - 1), false)
  t.equal(x.begin(length + 1), false)
  x.setU32(0, 39)
  t.equal(x.begin(39), false)
  t.equal(x.begin(0), false)
  t.end()
})

t.test('the header is read: who asks, for what, of which node', (t) => {
  const x = new Exchange(4096)
  x.begin(request(x.bytes, 35, 2 ** 53 - 1, '', 2 ** 40 + 2, { uid: 0xffff_fffe, gid: 7, pid: 99 }))
  t.match(x, { opcode: 35, nodeId: 2 ** 53 - 1, unique: 2 ** 40 + 2 })
  t.same(x.caller, { uid: 0xffff_fffe, gid: 7, pid: 99 })
  t.end()
})

t.test('numbers of 64 bits survive up to 53, with their sign', (t) => {
  const x = new Exchange(4096)
  for (const value of [0, 1, 0xffff_ffff, 2 ** 32, 2 ** 53 - 1, -1, -(2 ** 32), -(2 ** 53 - 1), 1_700_000_000]) {
    x.setU64(40, value)
    t.equal(x.i64(40), value)
    t.equal(x.bytes.readBigInt64LE(40), BigInt(value))
    if (value >= 0) t.equal(x.position(40), value)
  }
  x.bytes.writeBigUInt64LE(2n ** 53n, 40)
  t.throws(() => x.position(40), { code: 'FILE_TOO_LARGE' })
  t.end()
})

t.test('a reply keeps the request number, and an error is nothing but a header', (t) => {
  const x = new Exchange(4096)
  x.begin(request(x.bytes, 1, 1, "'a' 00", 77))
  t.equal(x.finish(24), 24)
  t.equal(x.bytes.toString('hex', 0, 16), '18000000' + '00000000' + '4d00000000000000')
  t.equal(x.finish(-2), 16)
  t.equal(x.bytes.toString('hex', 0, 16), '10000000' + 'feffffff' + '4d00000000000000')
  t.end()
})
