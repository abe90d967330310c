import * as fc from 'fast-check'
import t from 'tap'
import { CONTENT_INLINE, CONTENT_RECORDS, Inode } from '../../../../src/fs/vfs/inodes/inode.js'
import { decodeInode, encodeInode, MAX_SECONDS } from '../../../../src/fs/vfs/records/inode-record.js'
import { fuzzDecoder } from '../../../helpers/fuzz-decoder.js'

const fields = [
  'mode', 'nlink', 'uid', 'gid', 'rdev', 'size', 'allocated', 'parent', 'xattrs', 'content', 'body', 'bodyOffset',
  'bodyLength', 'extentEnd', 'atimeSec', 'atimeNsec', 'mtimeSec', 'mtimeNsec', 'ctimeSec', 'ctimeNsec', 'birthSec',
  'birthNsec', 'target',
] as const // prettier-ignore

function shown(inode: Inode): Record<string, unknown> {
  return Object.fromEntries(fields.map((field) => [field, inode[field]]))
}

const u32 = fc.oneof(fc.nat(3000), fc.constantFrom(0xffff_ffff, 0x8000_0000))
const seconds = fc.oneof(fc.integer(), fc.constantFrom(0, -1, MAX_SECONDS, -MAX_SECONDS, 2 ** 32))
const nanoseconds = fc.constantFrom(0, 1, 999_999_999)

const inodes = fc
  .record({
    kind: fc.constantFrom('file', 'inline', 'extents', 'directory', 'link', 'device', 'socket'),
    permissions: fc.nat(0o7777),
    nlink: u32,
    uid: u32,
    gid: u32,
    times: fc.array(fc.tuple(seconds, nanoseconds), { minLength: 1, maxLength: 4 }),
    xattrs: fc.nat(15),
    parent: fc.constantFrom(0, 1, 2 ** 40, 2 ** 53 - 1),
    size: fc.oneof(fc.nat(100_000), fc.constantFrom(0, 2 ** 32, 2 ** 53 - 1)),
    target: fc.uint8Array({ minLength: 1, maxLength: 4095 }),
  })
  .map((sample) => {
    const type = { file: 8, inline: 8, extents: 8, directory: 4, link: 10, device: 6, socket: 12 }[sample.kind]
    const inode = new Inode(77, (type << 12) | sample.permissions)
    inode.nlink = sample.nlink
    inode.uid = sample.uid
    inode.gid = sample.gid
    inode.xattrs = sample.xattrs
    inode.parent = sample.parent
    const time = (i: number): [number, number] => sample.times[i % sample.times.length] ?? [0, 0]
    ;[inode.mtimeSec, inode.mtimeNsec] = time(0)
    ;[inode.atimeSec, inode.atimeNsec] = time(1)
    ;[inode.ctimeSec, inode.ctimeNsec] = time(2)
    ;[inode.birthSec, inode.birthNsec] = time(3)
    if (sample.kind === 'device') inode.rdev = sample.uid
    if (type === 8 || type === 4) inode.size = sample.size
    if (sample.kind === 'link') {
      inode.target = sample.target
      inode.size = sample.target.length
    }
    if (sample.kind === 'inline') {
      inode.content = CONTENT_INLINE
      inode.size += 10
      if (inode.size > Number.MAX_SAFE_INTEGER) inode.size = Number.MAX_SAFE_INTEGER
      inode.body = sample.parent
      inode.bodyOffset = sample.permissions
      inode.allocated = inode.bodyLength = inode.extentEnd = 10
    }
    if (sample.kind === 'extents') {
      inode.content = CONTENT_RECORDS
      inode.allocated = Math.floor(inode.size / 2)
      inode.extentEnd = inode.size
    }
    return inode
  })

t.test('an inode comes back as it was', async (t) => {
  fc.assert(
    fc.property(inodes, (inode) => {
      t.same(shown(decodeInode(77, encodeInode(inode))), shown(inode))
    }),
    { seed: 4, numRuns: 300 },
  )
})

t.test('a small file costs few bytes', async (t) => {
  const inode = new Inode(77, 0o100644)
  inode.nlink = 1
  inode.uid = inode.gid = 1000
  inode.parent = 12_345
  inode.size = inode.allocated = inode.extentEnd = inode.bodyLength = 5000
  inode.content = CONTENT_INLINE
  inode.body = 100_000
  inode.setModified({ sec: 1_700_000_000, nsec: 123_456_789, tick: () => undefined })
  inode.setAccessed({ sec: 1_700_000_000, nsec: 123_456_789, tick: () => undefined })
  inode.birthSec = 1_700_000_000
  inode.birthNsec = 123_456_789
  t.ok(encodeInode(inode).length <= 36, `${encodeInode(inode).length} bytes`)
})

t.test('hostile bytes are refused', async (t) => {
  const samples = fc.sample(inodes, { seed: 5, numRuns: 40 }).map(encodeInode)
  const decode = (bytes: Uint8Array): Inode => decodeInode(77, bytes)
  // Times that could have been written once may be written twice: what is taken must at least mean the same again.
  const encode = (inode: Inode): Uint8Array => encodeInode(inode)
  const again = (bytes: Uint8Array): Inode => decode(encode(decode(bytes)))
  fuzzDecoder(t, samples, again, encode)
})
