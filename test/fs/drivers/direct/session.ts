import t from 'tap'
import { AteError } from '../../../../src/engine/error.js'
import { Opcode } from '../../../../src/fs/drivers/direct/protocol.js'
import type { Attributes } from '../../../../src/fs/vfs/types.js'
import { entry, kernelSide, KernelSide, NOW_MS, u32, u64 } from '../../../helpers/fuse-kernel-side.js'
import { MemoryFileSystem } from '../../../helpers/memory-file-system.js'

const { LOOKUP, GETATTR, MKNOD, READ, FSYNC, OPENDIR, READDIR, INTERRUPT } = Opcode
const MKNOD_A = `${u32(0o100644)} 00000000 00000000 00000000 'a' 00`

class Failing extends MemoryFileSystem {
  failure: unknown

  override getAttributes(): Attributes {
    throw this.failure
  }
}

t.test('our errors become the errno of their code', (t) => {
  const kernel = new KernelSide(new Failing())
  for (const [code, errno] of [
    ...([
      ['NO_ENTRY', -2],
      ['NO_SPACE', -28],
      ['BODY_DAMAGED', -5],
      ['NOT_SUPPORTED', -95],
    ] as const),
  ]) {
    kernel.files.failure = new AteError(code, 'because')
    t.equal(kernel.ask(GETATTR, 1, ''), errno, code)
  }
  t.end()
})

t.test(
  'anything else that is thrown is EIO to the caller and one line for the log, and the next request is served',
  (t) => {
    const warnings: string[] = []
    const kernel = new KernelSide(new Failing(() => NOW_MS), { onWarning: (message) => warnings.push(message) })
    for (const failure of [new TypeError('a bug'), 'text', undefined]) {
      kernel.files.failure = failure
      t.equal(kernel.ask(GETATTR, 1, ''), -5)
    }
    t.equal(warnings.length, 3)
    t.match(warnings[0], /^unexpected failure of request 3: TypeError: a bug \| at .*session\.ts/)
    t.ok(warnings.every((line) => !line.includes('\n')))
    t.type(kernel.ask(MKNOD, 1, MKNOD_A), 'string')
    t.end()
  },
)

class Waiting extends MemoryFileSystem {
  readonly gates: (() => void)[] = []

  override async read(...args: Parameters<MemoryFileSystem['read']>): Promise<number> {
    await new Promise<void>((resolve) => this.gates.push(resolve))
    return super.read(...args)
  }
}

t.test('answers that come later go to their own requests, in any order', async (t) => {
  const kernel = new KernelSide(new Waiting(() => NOW_MS))
  kernel.ask(MKNOD, 1, MKNOD_A)
  kernel.files.write(2, 0, Buffer.from('abcdef'), { clearPrivileges: false })
  const read = (offset: number): string => u64(0) + u64(offset) + u32(2) + u32(0) + u64(0) + u64(0)
  const asked = [0, 2, 4].map((offset) => kernel.send(READ, 2, read(offset)))
  t.equal(kernel.replies.length, 1)
  for (const open of kernel.files.gates.reverse()) {
    open()
    await new Promise(setImmediate)
  }
  const expected = ['6566', '6364', '6162']
  t.same(
    kernel.replies.slice(1),
    asked.reverse().map(({ unique }, i) => ({ unique, error: 0, body: expected[i] })),
  )
})

t.test('a reply that the kernel did not take leaves no reference behind', (t) => {
  const kernel = kernelSide({ onWarning: (message) => t.fail(message) })
  kernel.ask(MKNOD, 1, MKNOD_A)
  kernel.verdict = -2
  kernel.ask(LOOKUP, 1, "'a' 00")
  kernel.ask(LOOKUP, 1, "'absent' 00")
  t.equal(kernel.files.nodes.get(2)?.references, 1)
  t.equal(kernel.files.nodes.get(1)?.references, 0)
  t.end()
})

t.test('a reply that the kernel calls wrong is our mistake, and said', (t) => {
  const warnings: string[] = []
  const kernel = kernelSide({ onWarning: (message) => warnings.push(message) })
  kernel.verdict = -22
  kernel.ask(GETATTR, 1, '')
  t.same(warnings, ['the kernel refused the reply to request 3 with errno 22'])
  t.end()
})

t.test('requests shorter than their arguments are refused', (t) => {
  const kernel = kernelSide()
  for (const opcode of [MKNOD, READ, LOOKUP, READDIR, Opcode.SETATTR, Opcode.RENAME2, Opcode.INIT]) {
    t.equal(kernel.ask(opcode, 1, '00'), -22, String(opcode))
  }
  t.end()
})

t.test('allow_root: only one user and root are served, and nothing may be cached', (t) => {
  const kernel = kernelSide({ onlyUid: 1000 })
  kernel.ask(MKNOD, 1, MKNOD_A)
  t.equal(kernel.ask(LOOKUP, 1, "'a' 00", { uid: 1000 }), entry({ ino: 2, mode: 0o100644 }, 0))
  t.equal(kernel.ask(LOOKUP, 1, "'a' 00", { uid: 0 }), entry({ ino: 2, mode: 0o100644 }, 0))
  for (const opcode of [LOOKUP, GETATTR, MKNOD, OPENDIR]) {
    t.equal(kernel.ask(opcode, 1, '00'.repeat(40), { uid: 1001 }), -13, String(opcode))
  }
  const read = u64(0) + u64(0) + u32(2) + u32(0) + u64(0) + u64(0)
  t.equal(kernel.ask(READ, 2, read, { uid: 1001 }), '', 'who got an open file may use it')
  t.end()
})

t.test('a waiting request whose thread lives on is not interrupted', async (t) => {
  const kernel = kernelSide()
  let open = (): void => undefined
  kernel.files.syncGate = new Promise((resolve) => (open = resolve))
  const asked = kernel.send(FSYNC, 1, u64(0) + u64(0), { pid: process.pid })
  kernel.send(INTERRUPT, 0, u64(asked.unique))
  kernel.send(INTERRUPT, 0, u64(12345))
  t.same(kernel.replies, [])
  open()
  await asked.later
  t.same(kernel.replies, [{ unique: asked.unique, error: 0, body: '' }])
})

t.test('requests are counted by kind', (t) => {
  const kernel = kernelSide()
  kernel.ask(GETATTR, 1, '')
  kernel.ask(GETATTR, 1, '')
  t.equal(kernel.session.requestCounts[GETATTR], 2)
  t.end()
})
