/** Locks that hold beyond this machine: requests and replies byte for byte, and what is let go of with a file that is closed. */
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { AteError } from '../../../../../src/engine/error.js'
import { Opcode } from '../../../../../src/fs/drivers/direct/protocol.js'
import type { FileLock, FileLocks, LockAnswer, OwnedRange } from '../../../../../src/fs/drivers/driver.js'
import { kernelSide, u32, u64 } from '../../../../helpers/fuse-kernel-side.js'

const { INIT, OPEN, READ, GETLK, SETLK, SETLKW, FLUSH, RELEASE, INTERRUPT, MKNOD } = Opcode
const END = Number.MAX_SAFE_INTEGER
const KERNEL_END = 2n ** 63n - 1n
const [SHARED, EXCLUSIVE, UNLOCK] = [0, 1, 2]
const OWNER = 0xfedc_ba98_7654_3210n
const NAME = '1032547698badcfe'

class Locks implements FileLocks {
  readonly calls: unknown[] = []
  answer: LockAnswer | Promise<LockAnswer> = 'granted'
  held: Awaited<ReturnType<FileLocks['test']>>
  isLostIno = 0
  signal: AbortSignal | undefined

  async lock(wanted: FileLock, waits: boolean, signal: AbortSignal): Promise<LockAnswer> {
    this.calls.push(['lock', wanted, waits])
    this.signal = signal
    return this.answer
  }

  async unlock(range: OwnedRange): Promise<LockAnswer> {
    const { ino, space, owner, from, to } = range
    this.calls.push(['unlock', { ino, space, owner, from, to }])
    return 'granted'
  }

  async test(wanted: FileLock): ReturnType<FileLocks['test']> {
    this.calls.push(['test', wanted])
    return this.held
  }

  isLost(ino: number): boolean {
    return ino === this.isLostIno
  }
}

function locked() {
  const locks = new Locks()
  return { locks, kernel: kernelSide({ others: { kind: 'asked', refresh: () => undefined, locks } }) }
}

function madeFile({ files }: ReturnType<typeof kernelSide>): number {
  const owner = { uid: 0, gid: 0, pid: 0 }
  return files.makeNode(1, 'f' as never, { mode: 0o100644, rdev: 0, umask: 0 }, owner).ino
}

/** Its handle. */
function openedFile(kernel: ReturnType<typeof kernelSide>, ino: number): number {
  return Number(Buffer.from(String(kernel.ask(OPEN, ino, u64(0))), 'hex').readBigUInt64LE(0))
}

const lk = (type: number, { fh = 0, start = 0, end = KERNEL_END, pid = 77, flags = 0 } = {}): string =>
  `${u64(fh)}${u64(OWNER)}${u64(start)}${u64(end)}${u32(type)}${u32(pid)}${u32(flags)}${u32(0)}`

t.test('the kernel is told that locks are asked for only where there are such', (t) => {
  const init = `${u32(7)}${u32(45)}${u32(0)}${u32(0xffff_ffff)}${'00'.repeat(48)}`
  const flagsOf = (kernel: ReturnType<typeof kernelSide>): number =>
    Buffer.from(String(kernel.ask(INIT, 0, init)), 'hex').readUInt32LE(12) & ((1 << 1) | (1 << 10))
  t.equal(flagsOf(locked().kernel), (1 << 1) | (1 << 10))
  t.equal(flagsOf(kernelSide()), 0)
  t.equal(kernelSide().ask(SETLK, 1, lk(EXCLUSIVE)), -38)
  t.end()
})

t.test('SETLK and SETLKW: a range, a kind, an owner, and the end of the file', async (t) => {
  const { kernel, locks } = locked()
  const lock = { ino: 5, space: 'fcntl', owner: NAME, from: 0, to: END, isExclusive: true }
  t.equal(await kernel.askLater(SETLK, 5, lk(EXCLUSIVE)), '')
  t.equal(await kernel.askLater(SETLKW, 5, lk(SHARED, { start: 10, end: 19n, flags: 1 })), '')
  t.strictSame(locks.calls, [
    ['lock', lock, false],
    ['lock', { ...lock, space: 'flock', from: 10, to: 19, isExclusive: false }, true],
  ])
  const errnos = { held: -11, deadlock: -35, interrupted: -4, unavailable: -37 } as const
  for (const answer of ['held', 'deadlock', 'interrupted', 'unavailable'] as const) {
    locks.answer = answer
    t.equal(await kernel.askLater(SETLK, 5, lk(EXCLUSIVE)), errnos[answer], answer)
  }
  t.equal(await kernel.askLater(SETLK, 5, lk(UNLOCK, { start: 3, end: 4n })), '')
  t.strictSame(locks.calls.at(-1), ['unlock', { ino: 5, space: 'fcntl', owner: NAME, from: 3, to: 4 }])
  t.equal(kernel.ask(SETLK, 5, lk(3)), -22, 'an unknown type')
  t.equal(kernel.ask(SETLK, 5, lk(EXCLUSIVE, { start: 9, end: 8n })), -22)
})

t.test('GETLK: who is in the way, or nobody', async (t) => {
  const { kernel, locks } = locked()
  t.equal(await kernel.askLater(GETLK, 5, lk(EXCLUSIVE)), `${u64(0)}${u64(0)}${u32(2)}${u32(0)}`)
  locks.held = { from: 7, to: END, isExclusive: true }
  t.equal(await kernel.askLater(GETLK, 5, lk(SHARED)), `${u64(7)}${u64(KERNEL_END)}${u32(1)}${u32(0)}`, 'elsewhere')
  await kernel.askLater(SETLK, 5, lk(SHARED, { pid: 1234 }))
  locks.held = { from: 1, to: 2, isExclusive: false, owner: NAME }
  t.equal(await kernel.askLater(GETLK, 5, lk(EXCLUSIVE)), `${u64(1)}${u64(2)}${u32(0)}${u32(1234)}`, 'here')
})

t.test('close drops the locks of a process, and the last one those of the open file', async (t) => {
  const { kernel, locks } = locked()
  const ino = madeFile(kernel)
  const [fh, other] = [openedFile(kernel, ino), openedFile(kernel, ino)]
  t.not(fh, other, 'open files are told from each other')
  const ends = (handle: number): string => `${u64(handle)}${u64(0)}${u64(OWNER)}`
  t.equal(kernel.ask(FLUSH, ino, ends(fh)), '', 'nothing was locked: nobody is asked')
  await kernel.askLater(SETLK, ino, lk(EXCLUSIVE, { fh }))
  await kernel.askLater(SETLK, ino, lk(EXCLUSIVE, { fh, flags: 1 }))
  locks.calls.length = 0
  t.equal(await kernel.askLater(FLUSH, ino, ends(other)), '')
  t.strictSame(locks.calls, [['unlock', { ino, space: 'fcntl', owner: NAME, from: 0, to: END }]])
  t.equal(kernel.ask(RELEASE, ino, ends(other)), '')
  t.equal(await kernel.askLater(RELEASE, ino, ends(fh)), '')
  t.strictSame(locks.calls.slice(1), [['unlock', { ino, space: 'flock', owner: NAME, from: 0, to: END }]])
})

t.test('a lock that comes after its owner was forgotten goes with the file all the same', async (t) => {
  const { kernel, locks } = locked()
  const ino = madeFile(kernel)
  let settle: (answer: LockAnswer) => void = () => undefined
  locks.answer = new Promise((resolve) => (settle = resolve))
  const waiting = kernel.askLater(SETLKW, ino, lk(EXCLUSIVE, { fh: 1 }))
  await kernel.askLater(FLUSH, ino, `${u64(1)}${u64(0)}${u64(OWNER)}`)
  settle('granted')
  t.equal(await waiting, '')
  locks.calls.length = 0
  await kernel.askLater(FLUSH, ino, `${u64(1)}${u64(0)}${u64(OWNER)}`)
  t.strictSame(locks.calls, [['unlock', { ino, space: 'fcntl', owner: NAME, from: 0, to: END }]])
})

t.test('the end of an open file takes no lock that was made later by another', async (t) => {
  const { kernel, locks } = locked()
  const ino = madeFile(kernel)
  const [fh, other] = [openedFile(kernel, ino), openedFile(kernel, ino)]
  const ends = (handle: number): string => `${u64(handle)}${u64(0)}${u64(OWNER)}`
  await kernel.askLater(SETLK, ino, lk(EXCLUSIVE, { fh }))
  await kernel.askLater(FLUSH, ino, ends(fh))
  await kernel.askLater(SETLK, ino, lk(EXCLUSIVE, { fh: other }))
  locks.calls.length = 0
  t.equal(kernel.ask(RELEASE, ino, ends(fh)), '', 'a child had it open until now')
  t.strictSame(locks.calls, [])
  await kernel.askLater(RELEASE, ino, ends(other))
  t.equal(locks.calls.length, 1)
})

t.test('flock: who wants the other kind gives back what he has first', async (t) => {
  const { kernel, locks } = locked()
  for (const type of [SHARED, SHARED, EXCLUSIVE]) await kernel.askLater(SETLKW, 5, lk(type, { flags: 1 }))
  t.strictSame(
    locks.calls.map((call) => (call as unknown[])[0]),
    ['lock', 'lock', 'unlock', 'lock'],
  )
})

t.test('who waits for a lock is interrupted by any signal, and has what came of it', async (t) => {
  const { kernel, locks } = locked()
  let settle: (answer: LockAnswer) => void = () => undefined
  locks.answer = new Promise((resolve) => (settle = resolve))
  const asked = kernel.send(SETLKW, 5, lk(EXCLUSIVE), { pid: process.pid })
  await sleep(1)
  kernel.send(INTERRUPT, 0, u64(asked.unique))
  t.ok(locks.signal?.aborted)
  t.same(kernel.replies, [])
  settle('interrupted')
  await asked.later
  t.match(kernel.replies, [{ unique: asked.unique, error: -4 }])
})

t.test('a file on which a lock was lost is neither read nor written until it is let go of', (t) => {
  const { kernel, locks } = locked()
  locks.isLostIno = 1
  t.equal(kernel.ask(READ, 1, u64(0).repeat(5)), -5)
  locks.isLostIno = 2
  t.equal(kernel.ask(READ, 1, u64(0).repeat(5)), '', 'others are')
  t.end()
})

t.test('who waits for the turn to change something can be killed, and has changed nothing', async (t) => {
  let give: () => void = () => undefined
  let wait: Promise<void> | undefined = new Promise((resolve) => (give = resolve))
  const kernel = kernelSide({ others: { kind: 'pushed', turn: () => wait } })
  const make = (name: string): string => `${u32(0o100644)}${u32(0)}${u32(0)}${u32(0)}'${name}'00`
  const asked = kernel.send(MKNOD, 1, make('a'))
  const living = kernel.send(MKNOD, 1, make('b'), { pid: process.pid })
  kernel.send(INTERRUPT, 0, u64(living.unique))
  t.same(kernel.replies, [], 'who lives on waits')
  t.ok(asked.exchange.isWaiting)
  // As `interrupt` does when the thread is dying.
  asked.exchange.abandoned = true
  wait = undefined
  give()
  await Promise.all([asked.later, living.later])
  t.match(kernel.replies, [{ unique: living.unique, error: 0 }])
  t.same([...kernel.files.nodes.keys()].length, 2, 'the root and b')
})

t.test('a turn that does not come is told, and nothing is changed', async (t) => {
  const refused = new AteError('READ_ONLY', 'The server is away.')
  const kernel = kernelSide({ others: { kind: 'pushed', turn: () => Promise.reject(refused) } })
  t.equal(await kernel.askLater(MKNOD, 1, `${u32(0o100644)}${u32(0)}${u32(0)}${u32(0)}'a'00`), -30)
})
