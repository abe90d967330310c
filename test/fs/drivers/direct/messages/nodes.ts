import t from 'tap'
import { Opcode } from '../../../../../src/fs/drivers/direct/protocol.js'
import { entry, kernelSide, u32, u64 } from '../../../../helpers/fuse-kernel-side.js'

const { READLINK, SYMLINK, MKNOD, MKDIR, UNLINK, RMDIR, RENAME, LINK, CREATE, RENAME2, TMPFILE } = Opcode
const CALLER = { uid: 1000, gid: 1001, pid: 5 }
const OWNED = { uid: 1000, gid: 1001 }
/** fh 0, FOPEN_KEEP_CACHE. */
const OPENED = '0000000000000000' + '0200000000000000'

function mknod(name: string, mode = 0o100644, rdev = 0, umask = 0o022): string {
  return `${u32(mode)}${u32(rdev)}${u32(umask)}${u32(0)} '${name}' 00`
}

t.test('MKNOD makes any kind of node for its caller, under its umask', (t) => {
  const kernel = kernelSide()
  const reply = kernel.ask(MKNOD, 1, 'b4810000 00000000 12000000 00000000 66 00', CALLER)
  t.equal(reply, entry({ ino: 2, mode: 0o100644, ...OWNED }))
  t.equal(kernel.ask(MKNOD, 1, mknod('f', 0o010666), CALLER), -17, 'the name is taken')
  t.equal(kernel.ask(MKNOD, 1, mknod('p', 0o010666), CALLER), entry({ ino: 3, mode: 0o010644, ...OWNED }))
  const device = entry({ ino: 4, mode: 0o060600, rdev: 0x0801_0203 })
  t.equal(kernel.ask(MKNOD, 1, mknod('d', 0o060600, 0x0801_0203)), device)
  t.equal(kernel.files.nodes.get(2)?.references, 1)
  t.end()
})

t.test('CREATE makes a regular file and opens it, keeping the cache', (t) => {
  const kernel = kernelSide()
  const args = `${u32(0o102)}${u32(0o640)}${u32(0o027)}${u32(0)} 'f' 00`
  t.equal(kernel.ask(CREATE, 1, args, CALLER), entry({ ino: 2, mode: 0o100640, ...OWNED }) + OPENED)
  t.equal(kernel.ask(CREATE, 1, args, CALLER), -17)
  t.equal(kernel.files.nodes.get(2)?.references, 1)
  t.end()
})

t.test('TMPFILE makes a file without a name, which LINK can give it', (t) => {
  const kernel = kernelSide()
  const made = kernel.ask(TMPFILE, 1, `${u32(0)}${u32(0o600)}${u32(0)}${u32(0)} '/' 00`, CALLER)
  t.equal(made, entry({ ino: 2, mode: 0o100600, nlink: 0, ...OWNED }) + OPENED)
  t.equal(kernel.ask(LINK, 1, `${u64(2)} 'named' 00`), entry({ ino: 2, mode: 0o100600, nlink: 1, ...OWNED }))
  t.equal(kernel.files.nodes.get(2)?.references, 2)
  t.end()
})

t.test('MKDIR makes a directory', (t) => {
  const reply = kernelSide().ask(MKDIR, 1, `${u32(0o777)}${u32(0o022)} 'd' 00`, CALLER)
  t.equal(reply, entry({ ino: 2, mode: 0o040755, nlink: 2, ...OWNED }))
  t.end()
})

t.test('SYMLINK keeps the bytes of its target, READLINK gives them back', (t) => {
  const kernel = kernelSide()
  const reply = kernel.ask(SYMLINK, 1, "'l' 00 '/to/' ff80 00", CALLER)
  t.equal(reply, entry({ ino: 2, mode: 0o120777, size: 6, ...OWNED }))
  t.equal(kernel.ask(READLINK, 2, ''), Buffer.from('/to/\xff\x80', 'latin1').toString('hex'))
  t.equal(kernel.ask(SYMLINK, 1, "'l' 00 'target without end'", CALLER), -22)
  t.end()
})

t.test('UNLINK and RMDIR remove entries', (t) => {
  const kernel = kernelSide()
  kernel.ask(MKNOD, 1, mknod('f'))
  kernel.ask(MKDIR, 1, `${u32(0o777)}${u32(0)} 'd' 00`)
  kernel.ask(MKNOD, 3, mknod('in'))
  t.equal(kernel.ask(UNLINK, 1, "'f' 00"), '')
  t.equal(kernel.ask(UNLINK, 1, "'f' 00"), -2)
  t.equal(kernel.ask(RMDIR, 1, "'d' 00"), -39)
  kernel.ask(UNLINK, 3, "'in' 00")
  t.equal(kernel.ask(RMDIR, 1, "'d' 00"), '')
  t.end()
})

t.test('RENAME and RENAME2 take two names and the flags', (t) => {
  const kernel = kernelSide()
  kernel.ask(MKNOD, 1, mknod('a'))
  kernel.ask(MKNOD, 1, mknod('b'))
  kernel.ask(MKDIR, 1, `${u32(0o777)}${u32(0)} 'd' 00`)
  t.equal(kernel.ask(RENAME, 1, `${u64(4)} 'a' 00 'moved' 00`), '')
  t.equal(kernel.files.lookup(4, 'moved' as never)?.ino, 2)
  t.equal(kernel.ask(RENAME2, 1, `${u64(4)} ${u32(1)} ${u32(0)} 'b' 00 'moved' 00`), -17, 'NOREPLACE')
  t.equal(kernel.ask(RENAME2, 1, `${u64(4)} ${u32(2)} ${u32(0)} 'b' 00 'moved' 00`), '', 'EXCHANGE')
  t.equal(kernel.files.lookup(4, 'moved' as never)?.ino, 3)
  t.equal(kernel.files.lookup(1, 'b' as never)?.ino, 2)
  t.equal(kernel.ask(RENAME, 1, `${u64(4)} 'only one name' 00`), -22)
  t.equal(kernel.ask(RENAME, 1, `${u64(4)} 00 'x' 00`), -22)
  t.end()
})

t.test('a read-only mount refuses every change and makes none', (t) => {
  const kernel = kernelSide({ readOnly: true })
  t.equal(kernel.ask(MKNOD, 1, mknod('f')), -30)
  t.equal(kernel.ask(CREATE, 1, `${u32(0)}${u32(0)}${u32(0)}${u32(0)} 'f' 00`), -30)
  t.equal(kernel.ask(RENAME2, 1, `${u64(1)}${u64(0)} 'a' 00 'b' 00`), -30)
  t.equal(kernel.files.nodes.size, 1)
  t.end()
})
