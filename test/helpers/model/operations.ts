/**
 * The operations of the random model test. Each is plain data (it can be written to a file and replayed) with a way to
 * make it up and a way to do it on any PosixClient; its result is what must be the same on both sides.
 * Few names, so that operations meet; paths are latin1 text, one character per byte.
 */
import * as fc from 'fast-check'
import type { Capability } from '../../contract/file-system/contract.js'
import type { NewTime, PosixClient, Stat } from '../posix/client.js'
import type { Reopening } from '../posix/memory-vault.js'
import { names, readAll, removeContents, writeFile } from '../posix/files.js'
import * as k from '../posix/constants.js'

/** One side of the test: a client and what it has open. */
export interface Side {
  client: PosixClient
  /** It never waits for its disk. */
  isOracle: boolean
  /** The file descriptors of the slots in use. */
  open: Map<number, number>
}

export interface Operation {
  call: string
  arguments: unknown
}

interface Kind {
  call: string
  weight: number
  needs: Capability | undefined
  arbitrary: fc.Arbitrary<Operation>
  run: (side: Side, args: unknown) => unknown
}

interface KindOptions {
  weight?: number
  needs?: Capability
}

/** Times that are set are long ago, so that they can be told from those of now, which differ between the sides. */
const EXPLICIT_LIMIT = 1_500_000_000n * 1_000_000_000n

export const showTime = (time: bigint): string => (time < EXPLICIT_LIMIT ? String(time) : 'recent')

export function showStat({ mode, nlink, uid, gid, size, mtime, rdevMajor, rdevMinor }: Stat): object {
  // A directory's size is each file system's own affair.
  const shownSize = (mode & k.S_IFMT) === k.S_IFDIR ? 'directory' : size
  const device = `${rdevMajor}:${rdevMinor}`
  return { mode: mode.toString(8), nlink, uid, gid, size: shownSize, mtime: showTime(mtime), device }
}

function kind<A>(
  call: string,
  shape: { [K in keyof A]: fc.Arbitrary<A[K]> },
  run: (c: PosixClient, args: A, side: Side) => unknown,
  { weight = 2, needs }: KindOptions = {},
): Kind {
  const arbitrary = fc.record(shape).map((args) => ({ call, arguments: args }))
  return { call, weight, needs, arbitrary, run: (side, args) => run(side.client, args as A, side) }
}

/** An operation on an open file; nothing when the slot is empty. */
function onFile<A extends object>(
  call: string,
  shape: { [K in keyof A]: fc.Arbitrary<A[K]> },
  run: (c: PosixClient, fd: number, args: A, side: Side) => unknown,
  options: KindOptions = {},
): Kind {
  const withSlot = (side: Side, slot: number, args: A): unknown => {
    const fd = side.open.get(slot)
    return fd === undefined ? 'nothing open' : run(side.client, fd, args, side)
  }
  const arbitrary = fc
    .record({ slot: slots, args: fc.record(shape) })
    .map(({ slot, args }) => ({ call, arguments: { slot, ...args } }))
  const runAny = (side: Side, args: unknown): unknown => {
    const { slot } = args as { slot: number }
    return withSlot(side, slot, args as A)
  }
  return { call, weight: options.weight ?? 2, needs: options.needs, arbitrary, run: runAny }
}

const slots = fc.nat({ max: 2 })
const pathOf = (text: string): Buffer => Buffer.from(text, 'latin1')
const directoryName = fc.constantFrom('a', 'b')
const fileName = fc.constantFrom('a', 'b', 'c', 'd', 'e\xff', 'L'.repeat(255))
const path = fc
  .tuple(fc.array(directoryName, { maxLength: 2 }), fileName)
  .map(([directories, name]) => [...directories, name].join('/'))

const mode = fc.constantFrom(0o644, 0o600, 0o755, 0o000, 0o2755, 0o4711, 0o1777, 0o666)
const id = fc.constantFrom(-1, 0, 1001, 1002)
const time = fc.constantFrom('now', 'omit', '0', '1000000000123456789', '-5000000001', '86400000000001')
const toTime = (text: string): NewTime => (text === 'now' || text === 'omit' ? text : BigInt(text))

/** Around the boundaries of pages and of sealed bodies, and anywhere. */
const offset = fc.oneof(
  fc.nat({ max: 300 }),
  fc.nat({ max: 300_000 }),
  fc.constantFrom(4095, 4096, 8192, 65_535, 65_536, 65_537, 131_072, 262_144),
)
const length = fc.oneof(
  { weight: 4, arbitrary: fc.nat({ max: 5000 }) },
  { weight: 2, arbitrary: fc.constantFrom(1, 4096, 65_536, 65_537) },
  { weight: 1, arbitrary: fc.nat({ max: 200_000 }) },
)
const fill = fc.integer({ min: 1, max: 255 })

const openFlags = fc.constantFrom(
  k.O_RDWR,
  k.O_RDWR | k.O_CREAT,
  k.O_RDWR | k.O_CREAT | k.O_TRUNC,
  k.O_RDWR | k.O_CREAT | k.O_EXCL,
  k.O_RDWR | k.O_CREAT | k.O_APPEND,
  k.O_RDONLY,
  k.O_WRONLY | k.O_TRUNC,
  k.O_RDONLY | k.O_DIRECTORY,
  k.O_RDWR | k.O_NOFOLLOW,
)
const allocation = fc.constantFrom(
  0,
  k.FALLOC_FL_KEEP_SIZE,
  k.FALLOC_FL_PUNCH_HOLE | k.FALLOC_FL_KEEP_SIZE,
  k.FALLOC_FL_PUNCH_HOLE | k.FALLOC_FL_KEEP_SIZE,
)
const zeroing = fc.constantFrom(k.FALLOC_FL_ZERO_RANGE, k.FALLOC_FL_ZERO_RANGE | k.FALLOC_FL_KEEP_SIZE)
const attribute = fc.constantFrom('user.one', 'user.two', 'user.none')

/** Access control lists as hexadecimal attributes: a mode only; a named user and group; nobody. */
const ACCESS_LISTS = [
  '0200000001000700ffffffff04000500ffffffff20000100ffffffff',
  '0200000001000700ffffffff02000600e903000004000500ffffffff08000400ea03000010000700ffffffff20000100ffffffff',
  '0200000001000000ffffffff04000000ffffffff10000000ffffffff20000000ffffffff',
]
const accessList = fc.constantFrom(...ACCESS_LISTS)
const accessListName = fc.constantFrom('system.posix_acl_access', 'system.posix_acl_default')

async function open(side: Side, slot: number, call: () => number | Promise<number>): Promise<string> {
  const before = side.open.get(slot)
  side.open.delete(slot)
  if (before !== undefined) await side.client.close(before)
  side.open.set(slot, await call())
  return 'open'
}

const KINDS: readonly Kind[] = [
  kind('mkdir', { path: fc.oneof(directoryName, path), mode }, (c, a) => c.mkdir(pathOf(a.path), a.mode), {
    weight: 6,
  }),
  kind('rmdir', { path }, (c, a) => c.rmdir(pathOf(a.path))),
  kind('unlink', { path }, (c, a) => c.unlink(pathOf(a.path)), { weight: 4 }),
  kind('symlink', { target: path, path }, (c, a) => c.symlink(pathOf(a.target), pathOf(a.path))),
  kind('readlink', { path }, async (c, a) => (await c.readlink(pathOf(a.path))).toString('latin1'), { weight: 1 }),
  kind('link', { from: path, path }, (c, a) => c.link(pathOf(a.from), pathOf(a.path)), { weight: 4 }),
  // Not a FIFO: opening one waits for another process.
  kind('socket', { path, mode }, (c, a) => c.mknod(pathOf(a.path), k.S_IFSOCK | a.mode), { weight: 1 }),
  kind('rename', { from: path, to: path }, (c, a) => c.rename(pathOf(a.from), pathOf(a.to)), { weight: 8 }),
  kind(
    'renameat2',
    { from: path, to: path, flags: fc.constantFrom(k.RENAME_NOREPLACE, k.RENAME_EXCHANGE, k.RENAME_EXCHANGE) },
    (c, a) => c.rename(pathOf(a.from), pathOf(a.to), a.flags),
    { weight: 3, needs: 'rename flags' },
  ),
  kind(
    'fill',
    { path: directoryName, prefix: fc.constantFrom('f', 'g', 'n'.repeat(120)), count: fc.nat({ max: 120 }) },
    async (c, a) => {
      for (let index = 0; index < a.count; index++) await writeFile(c, `${a.path}/${a.prefix}${index}`, a.prefix)
    },
    { weight: 1 },
  ),
  kind('empty', { path: directoryName }, (c, a) => removeContents(c.in(a.path), '.'), { weight: 1 }),
  kind('stat', { path }, async (c, a) => showStat(await c.stat(pathOf(a.path)))),
  kind('list', { path: fc.oneof(fc.constant('.'), path) }, (c, a) => names(c, pathOf(a.path))),
  kind('chmod', { path, mode }, (c, a) => c.chmod(pathOf(a.path), a.mode)),
  kind(
    'chown',
    { path, uid: id, gid: id },
    async (c, a) => {
      // Changing nothing clears setuid elsewhere, and is not told to a FUSE server.
      if (a.uid !== -1 || a.gid !== -1) await c.lchown(pathOf(a.path), a.uid, a.gid)
    },
    { needs: 'other users' },
  ),
  kind(
    'utimens',
    { path, atime: time, mtime: time },
    (c, a) => c.utimens(pathOf(a.path), toTime(a.atime), toTime(a.mtime), false),
    { needs: 'setting times' },
  ),
  kind('truncate', { path, size: offset }, async (c, a) => {
    // Whether truncating to the same size changes the time of modification is left open by POSIX.
    const { mode, size } = await c.stat(pathOf(a.path))
    const isSame = (mode & k.S_IFMT) === k.S_IFREG && size === a.size
    if (!isSame) await c.truncate(pathOf(a.path), a.size)
  }),
  kind(
    'setxattr',
    {
      path,
      name: attribute,
      bytes: fc.nat({ max: 90 }),
      flags: fc.constantFrom(0, 0, k.XATTR_CREATE, k.XATTR_REPLACE),
    },
    (c, a) => c.setxattr(pathOf(a.path), a.name, Buffer.alloc(a.bytes, a.bytes), a.flags),
  ),
  kind('removexattr', { path, name: attribute }, (c, a) => c.removexattr(pathOf(a.path), a.name), { weight: 1 }),
  kind(
    'setfacl',
    { path, name: accessListName, list: accessList },
    (c, a) => c.setxattr(pathOf(a.path), a.name, Buffer.from(a.list, 'hex')),
    { needs: 'access control lists' },
  ),
  kind(
    'removefacl',
    { path, name: accessListName },
    async (c, a) => {
      // Removing what is not there succeeds on some file systems and not on others.
      if ((await c.listxattr(pathOf(a.path))).includes(a.name)) await c.removexattr(pathOf(a.path), a.name)
    },
    { weight: 1, needs: 'access control lists' },
  ),

  kind(
    'open',
    { slot: slots, path, flags: openFlags, mode },
    (c, a, side) => open(side, a.slot, async () => c.open(pathOf(a.path), a.flags, a.mode)),
    { weight: 12 },
  ),
  kind(
    'tmpfile',
    { slot: slots, mode },
    (c, a, side) => open(side, a.slot, async () => c.open('.', k.O_RDWR | k.O_TMPFILE, a.mode)),
    { weight: 1, needs: 'temporary files' },
  ),
  onFile('linkFd', { path }, (c, fd, a) => c.linkFd(fd, pathOf(a.path)), { weight: 1, needs: 'temporary files' }),
  onFile('close', {}, async (c, fd, a, side) => {
    for (const [slot, open] of side.open) if (open === fd) side.open.delete(slot)
    await c.close(fd)
  }),
  onFile('pwrite', { offset, length, fill }, (c, fd, a) => c.pwrite(fd, Buffer.alloc(a.length, a.fill), a.offset), {
    weight: 14,
  }),
  onFile('write', { length, fill }, (c, fd, a) => c.write(fd, Buffer.alloc(a.length, a.fill)), { weight: 4 }),
  onFile('pread', { offset, length }, async (c, fd, a) => digest(await c.pread(fd, a.length, a.offset)), { weight: 4 }),
  onFile('readAll', {}, async (c, fd) => digest(await readAll(c, fd))),
  onFile('fstat', {}, async (c, fd) => showStat(await c.fstat(fd)), { needs: 'removed directories that are open' }),
  onFile('ftruncate', { size: offset }, (c, fd, a) => c.ftruncate(fd, a.size), { weight: 6 }),
  onFile('fallocate', { mode: allocation, offset, length }, (c, fd, a) => c.fallocate(fd, a.mode, a.offset, a.length), {
    weight: 4,
    needs: 'allocation',
  }),
  onFile('zero', { mode: zeroing, offset, length }, (c, fd, a) => c.fallocate(fd, a.mode, a.offset, a.length), {
    needs: 'zeroing ranges',
  }),
  onFile('fchmod', { mode }, (c, fd, a) => c.fchmod(fd, a.mode), { weight: 1 }),
  onFile('fsync', {}, (c, fd, a, side) => (side.isOracle ? undefined : c.fsync(fd)), { weight: 3 }),
  onFile(
    'copy',
    { from: offset, target: slots, to: offset, length },
    (c, fd, a, side) => {
      const target = side.open.get(a.target)
      return target === undefined ? 'nothing open' : c.copyFileRange(fd, a.from, target, a.to, a.length)
    },
    { weight: 3, needs: 'copying ranges' },
  ),
]

const byCall = new Map(KINDS.map((one) => [one.call, one]))

/** Bytes in a form short enough to read in a report: runs of one byte. */
export function digest(bytes: Uint8Array): string {
  const runs: string[] = []
  for (let start = 0; start < bytes.length;) {
    const end = runEnd(bytes, start)
    runs.push(`${end - start}x${bytes[start] ?? 0}`)
    start = end
  }
  return `${bytes.length}: ${runs.join(' ')}`
}

function runEnd(bytes: Uint8Array, start: number): number {
  const byte = bytes[start]
  let end = start + 1
  while (end < bytes.length && bytes[end] === byte) end++
  return end
}

/** Does one operation. Unknown calls are an error: a case file may be of another time. */
export function perform(side: Side, operation: Operation): unknown {
  const found = byCall.get(operation.call)
  if (found === undefined) throw new Error(`no operation ${operation.call}`)
  return found.run(side, operation.arguments)
}

/** What an operation needs of the system. */
export function needOf(operation: Operation): Capability | undefined {
  return byCall.get(operation.call)?.needs
}

/** The operation with names in UTF-8 only. */
export function inUtf8(operation: Operation): Operation {
  return JSON.parse(JSON.stringify(operation).replaceAll('\xff', '\xc3\xa9')) as Operation
}

/** Closes everything and opens the file system under test anew, in one way or another; then both sides are compared. */
const reopening = fc
  .constantFrom('close' as const, 'crash' as const, 'rebuild' as const)
  .map((how): Operation => ({ call: 'reopen', arguments: { how } }))

export function howOf(operation: Operation): Reopening {
  return (operation.arguments as { how: Reopening }).how
}

/** Any sequence of operations for systems without what `lacks` says. */
export function operations(lacks: (capability: Capability) => boolean, maxLength: number): fc.Arbitrary<Operation[]> {
  const served = KINDS.filter(({ needs }) => needs === undefined || !lacks(needs))
  const one = fc.oneof(...served.map(({ weight, arbitrary }) => ({ weight, arbitrary })), {
    weight: 1,
    arbitrary: reopening,
  })
  return fc.array(one, { maxLength, size: 'max' })
}
