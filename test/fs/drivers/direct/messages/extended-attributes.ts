import t from 'tap'
import { Opcode } from '../../../../../src/fs/drivers/direct/protocol.js'
import { kernelSide, u32, u64, type KernelSide } from '../../../../helpers/fuse-kernel-side.js'

const { SETXATTR, GETXATTR, LISTXATTR, REMOVEXATTR, INIT } = Opcode
const SETXATTR_EXT = 1 << 29

/** With the long form of SETXATTR, as every kernel since 5.13. */
function withLongForm(): KernelSide {
  const kernel = kernelSide()
  kernel.ask(INIT, 0, u32(7) + u32(38) + u32(0) + u32(SETXATTR_EXT))
  return kernel
}

function set(name: string, value: string, flags = 0): string {
  return `${u32(value.length)}${u32(flags)}${u32(0)}${u32(0)} '${name}' 00 '${value}'`
}

function get(name: string, size: number): string {
  return `${u32(size)}${u32(0)} '${name}' 00`
}

t.test('SETXATTR keeps bytes that GETXATTR gives back, or their number', (t) => {
  const kernel = withLongForm()
  t.equal(kernel.ask(SETXATTR, 1, set('user.k', 'value')), '')
  t.equal(kernel.ask(GETXATTR, 1, get('user.k', 5)), Buffer.from('value').toString('hex'))
  t.equal(kernel.ask(GETXATTR, 1, get('user.k', 0)), `${u32(5)}00000000`)
  t.equal(kernel.ask(GETXATTR, 1, get('user.k', 4)), -34, 'ERANGE')
  t.equal(kernel.ask(GETXATTR, 1, get('user.other', 4)), -61, 'ENODATA')
  t.equal(kernel.ask(SETXATTR, 1, set('user.k', '')), '')
  t.equal(kernel.ask(GETXATTR, 1, get('user.k', 10)), '')
  t.end()
})

t.test('SETXATTR is understood in the short form of older kernels', (t) => {
  const kernel = kernelSide()
  t.equal(kernel.ask(SETXATTR, 1, `${u32(3)}${u32(0)} 'user.k' 00 'old'`), '')
  t.equal(kernel.ask(GETXATTR, 1, get('user.k', 5)), Buffer.from('old').toString('hex'))
  t.end()
})

t.test('SETXATTR that promises more than it holds is refused', (t) => {
  const kernel = withLongForm()
  t.equal(kernel.ask(SETXATTR, 1, `${u32(6)}${u32(0)}${u64(0)} 'user.k' 00 'value'`), -22)
  t.equal(kernel.ask(SETXATTR, 1, `${u32(0)}${u32(0)}${u64(0)} 'user.k'`), -22)
  t.end()
})

t.test('LISTXATTR gives the names, or their length', (t) => {
  const kernel = withLongForm()
  kernel.ask(SETXATTR, 1, set('user.a', '1'))
  kernel.ask(SETXATTR, 1, set('user.b', '2'))
  t.equal(kernel.ask(LISTXATTR, 1, u32(100) + u32(0)), Buffer.from('user.a\0user.b\0').toString('hex'))
  t.equal(kernel.ask(LISTXATTR, 1, u32(0) + u32(0)), `${u32(14)}00000000`)
  t.equal(kernel.ask(LISTXATTR, 1, u32(13) + u32(0)), -34)
  t.end()
})

t.test('REMOVEXATTR removes', (t) => {
  const kernel = withLongForm()
  kernel.ask(SETXATTR, 1, set('user.a', '1'))
  t.equal(kernel.ask(REMOVEXATTR, 1, "'user.a' 00"), '')
  t.equal(kernel.ask(REMOVEXATTR, 1, "'user.a' 00"), -61)
  t.end()
})

t.test('an SELinux label that is not there is said to be impossible, so that ls does not ask for each file', (t) => {
  const kernel = withLongForm()
  t.equal(kernel.ask(GETXATTR, 1, get('security.selinux', 255)), -95, 'EOPNOTSUPP')
  kernel.ask(SETXATTR, 1, set('security.selinux', 'label'))
  t.equal(kernel.ask(GETXATTR, 1, get('security.selinux', 255)), Buffer.from('label').toString('hex'))
  t.end()
})
