import t from 'tap'
import { Opcode, SetAttributeFlag } from '../../../../../src/fs/drivers/direct/protocol.js'
import { attr, kernelSide, u32, u64 } from '../../../../helpers/fuse-kernel-side.js'

const { GETATTR, SETATTR, MKNOD, STATFS } = Opcode
const { MODE, UID, GID, SIZE, ATIME, MTIME, ATIME_NOW, MTIME_NOW, KILL_SUIDGID } = SetAttributeFlag
const CTIME = 1 << 10
const REGULAR = 0o100644
const HOUR = `${u64(3600)}${u64(0)}`

interface Setattr {
  valid: number
  size?: number | bigint
  atime?: number
  mtime?: number
  atimensec?: number
  mtimensec?: number
  mode?: number
  uid?: number
  gid?: number
}

function setattr(change: Setattr): string {
  const { valid, size = 0, atime = 0, mtime = 0, atimensec = 0, mtimensec = 0, mode = 0, uid = 0, gid = 0 } = change
  const times = u64(atime) + u64(mtime) + u64(0) + u32(atimensec) + u32(mtimensec) + u32(0)
  return u32(valid) + u32(0) + u64(0) + u64(size) + u64(0) + times + u32(mode) + u32(0) + u32(uid) + u32(gid) + u32(0)
}

t.test('GETATTR answers with the attributes, valid for an hour', (t) => {
  t.equal(kernelSide().ask(GETATTR, 1, `${u32(0)}${u32(0)}${u64(0)}`), HOUR + attr({ ino: 1, mode: 0o40755, nlink: 2 }))
  t.end()
})

t.test('GETATTR of an inode that is gone is ESTALE', (t) => {
  t.equal(kernelSide().ask(GETATTR, 77, `${u32(0)}${u32(0)}${u64(0)}`), -116)
  t.end()
})

t.test('SETATTR changes what `valid` names and nothing else', (t) => {
  const kernel = kernelSide()
  kernel.ask(MKNOD, 1, `${u32(REGULAR)} 00000000 00000000 00000000 'a' 00`)
  const all = { size: 5000, atime: 1, mtime: 2, atimensec: 3, mtimensec: 4, mode: 0o600, uid: 7, gid: 8 }
  t.equal(kernel.ask(SETATTR, 2, setattr({ valid: 0, ...all })), HOUR + attr({ ino: 2, mode: REGULAR }))
  t.equal(kernel.ask(SETATTR, 2, setattr({ valid: CTIME, ...all })), HOUR + attr({ ino: 2, mode: REGULAR }))
  t.equal(kernel.ask(SETATTR, 2, setattr({ valid: MODE, ...all })), HOUR + attr({ ino: 2, mode: 0o100600 }))
  t.equal(kernel.ask(SETATTR, 2, setattr({ valid: UID, ...all })), HOUR + attr({ ino: 2, mode: 0o100600, uid: 7 }))
  const owned = { ino: 2, mode: 0o100600, uid: 7, gid: 8 }
  t.equal(kernel.ask(SETATTR, 2, setattr({ valid: GID, ...all })), HOUR + attr(owned))
  t.equal(kernel.ask(SETATTR, 2, setattr({ valid: SIZE, ...all })), HOUR + attr({ ...owned, size: 5000 }))
  t.end()
})

t.test('SETATTR takes times before 1970, with nanoseconds, or now', (t) => {
  const kernel = kernelSide()
  const node = kernel.files.nodes.get(1)
  kernel.ask(
    SETATTR,
    1,
    setattr({ valid: ATIME | MTIME, atime: -2, atimensec: 999_999_999, mtime: 2 ** 33, mtimensec: 1 }),
  )
  t.match(node, { atimeSec: -2, atimeNsec: 999_999_999, mtimeSec: 2 ** 33, mtimeNsec: 1 })
  const reply = kernel.ask(GETATTR, 1, `${u32(0)}${u32(0)}${u64(0)}`)
  t.match(reply, `${u64(-2)}${u64(2 ** 33)}`, 'and they come back')
  kernel.ask(SETATTR, 1, setattr({ valid: ATIME | ATIME_NOW, atime: 5 }))
  t.match(node, { atimeSec: 1_700_000_000, mtimeSec: 2 ** 33 })
  kernel.ask(SETATTR, 1, setattr({ valid: MTIME | MTIME_NOW, mtime: 5 }))
  t.match(node, { mtimeSec: 1_700_000_000 })
  t.end()
})

t.test('SETATTR hands on that privileges must go', (t) => {
  const kernel = kernelSide()
  kernel.ask(MKNOD, 1, `${u32(0o104755)} 00000000 00000000 00000000 'a' 00`)
  kernel.ask(SETATTR, 2, setattr({ valid: SIZE | KILL_SUIDGID, size: 1 }))
  t.equal(kernel.files.nodes.get(2)?.mode, 0o100755)
  t.end()
})

t.test('SETATTR refuses a size that no number here can hold', (t) => {
  t.equal(kernelSide().ask(SETATTR, 1, setattr({ valid: SIZE, size: 2n ** 53n })), -27)
  t.equal(kernelSide().ask(SETATTR, 1, setattr({ valid: SIZE, size: 2n ** 63n - 1n })), -27)
  t.end()
})

t.test('a fixed owner and mask are shown, and only the shown owner may be set', (t) => {
  const kernel = kernelSide({ shown: { uid: 1000, gid: 1001, umask: 0o077 } })
  kernel.ask(MKNOD, 1, `${u32(0o100644)} 00000000 00000000 00000000 'a' 00`, { uid: 5, gid: 6 })
  const shown = HOUR + attr({ ino: 2, mode: 0o100600, uid: 1000, gid: 1001 })
  t.equal(kernel.ask(GETATTR, 2, `${u32(0)}${u32(0)}${u64(0)}`), shown)
  t.equal(kernel.ask(SETATTR, 2, setattr({ valid: UID | GID, uid: 1000, gid: 1001 })), shown)
  t.equal(kernel.ask(SETATTR, 2, setattr({ valid: UID, uid: 5 })), -1)
  t.equal(kernel.ask(SETATTR, 2, setattr({ valid: GID, gid: 6 })), -1)
  t.match(kernel.files.nodes.get(2), { uid: 5, gid: 6, mode: 0o100644 }, 'what is stored stayed')
  kernel.ask(SETATTR, 2, setattr({ valid: MODE, mode: 0o666 }))
  t.match(kernel.files.nodes.get(2), { mode: 0o100666 })
  t.end()
})

t.test('STATFS answers with the space there is', (t) => {
  const space = `${u64(1000)}${u64(900)}${u64(800)}${u64(1)}${u64(1000)}${u32(4096)}${u32(255)}${u32(4096)}`
  t.equal(kernelSide().ask(STATFS, 1, ''), `${space}${'00'.repeat(28)}`)
  t.end()
})
