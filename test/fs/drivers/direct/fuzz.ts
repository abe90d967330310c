/** Whatever bytes come from the device: a session answers at most once, does not throw, and lives on. */
import fc from 'fast-check'
import t from 'tap'
import { Exchange } from '../../../../src/fs/drivers/direct/exchange.js'
import { HANDLERS } from '../../../../src/fs/drivers/direct/handlers.js'
import { OPCODE_LIMIT } from '../../../../src/fs/drivers/direct/protocol.js'
import { Session } from '../../../../src/fs/drivers/direct/session.js'
import { DEFAULTS, request } from '../../../helpers/fuse-kernel-side.js'
import { MemoryFileSystem } from '../../../helpers/memory-file-system.js'

const PARAMETERS = { seed: 20_260_730, numRuns: 300 }
const ROOM = 16 * 1024

/** Words as kernels send them, and as they never should. */
const word = fc.oneof(
  fc.constantFrom(0, 1, 2, 3, 8, 40, 4096, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x1000_0000),
  fc.nat(0xffff_ffff),
)
const words = fc.array(word, { maxLength: 24 }).map((numbers) => {
  const bytes = Buffer.alloc(numbers.length * 4)
  numbers.forEach((number, i) => bytes.writeUInt32LE(number, i * 4))
  return bytes
})
const names = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 3 }).map((parts) => {
  return Buffer.concat(parts.flatMap((part) => [part, Buffer.from([0])]))
})
const oneRequest = fc.record({
  opcode: fc.oneof(fc.nat(OPCODE_LIMIT), word),
  nodeId: fc.constantFrom(0, 1, 2, 3, 4, 2 ** 53 - 1),
  args: fc.oneof(
    fc.tuple(words, names).map(([numbers, text]) => Buffer.concat([numbers, text])),
    fc.uint8Array({ maxLength: 300 }),
  ),
})

t.test('any sequence of requests', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(oneRequest, { maxLength: 30 }), async (requests) => {
      const answered = new Map<number, number>()
      const files = new Bounded()
      const session = new Session(files, { ...DEFAULTS, onWarning: () => undefined }, (bytes, length) => {
        const reply = Buffer.from(bytes.buffer, bytes.byteOffset, length)
        const unique = Number(reply.readBigUInt64LE(8))
        if (length < 16 || reply.readUInt32LE(0) !== length || reply.readInt32LE(4) > 0) throw new Error('no reply')
        answered.set(unique, (answered.get(unique) ?? 0) + 1)
        return length
      })
      for (const [i, { opcode, nodeId, args }] of requests.entries()) {
        const x = new Exchange(ROOM)
        await session.serve(x, request(x.bytes, opcode, nodeId, args, 2 * i + 2))
      }
      for (const [i, { opcode }] of requests.entries()) {
        const silent = opcode === 2 || opcode === 36 || opcode === 42
        const times = answered.get(2 * i + 2) ?? 0
        if (times !== 1 && !(silent && times === 0)) throw new Error(`request ${opcode} was answered ${times} times`)
      }
    }),
    PARAMETERS,
  )
  t.pass('answered')
})

/** Refuses what would only take memory. */
class Bounded extends MemoryFileSystem {
  override setAttributes(...args: Parameters<MemoryFileSystem['setAttributes']>) {
    const { size } = args[1]
    return super.setAttributes(args[0], size === undefined ? args[1] : { ...args[1], size: size % ROOM })
  }

  override write(...[ino, offset, data, options]: Parameters<MemoryFileSystem['write']>): number {
    return super.write(ino, offset % ROOM, data, options)
  }

  override allocate(...[ino, mode, offset, length]: Parameters<MemoryFileSystem['allocate']>): void {
    super.allocate(ino, mode, offset % ROOM, length % ROOM)
  }
}

t.test('bytes that are no request at all are said to be none, and nothing is answered', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), async (bytes) => {
      let [warnings, replies] = [0, 0]
      const session = new Session(new MemoryFileSystem(), { ...DEFAULTS, onWarning: () => warnings++ }, () => ++replies)
      const x = new Exchange(4096)
      x.bytes.set(bytes)
      if (bytes.length >= 40) x.setU32(0, bytes.length + 1)
      await session.serve(x, bytes.length)
      return warnings === 1 && replies === 0
    }),
    PARAMETERS,
  )
  t.pass('said')
})

t.test('each kind of request cut at every length', async (t) => {
  const session = new Session(new MemoryFileSystem(), { ...DEFAULTS, onWarning: (message) => t.fail(message) }, () => 0)
  for (const [opcode, entry] of HANDLERS.entries()) {
    if (entry === undefined) continue
    for (let length = 0; length < 140; length++) {
      const x = new Exchange(4096)
      // What lies behind the request is an earlier one's, and must not be taken for its own.
      x.bytes.fill(0x61)
      await session.serve(x, request(x.bytes, opcode, 1, Buffer.alloc(length, 1), 2))
    }
  }
  t.pass('served')
})
