/** fallocate(2), SEEK_DATA and SEEK_HOLE, copy_file_range(2). */
import { subject, fails } from './contract.js'
import { readFile, withOpen, writeFile } from '../../helpers/posix/files.js'
import {
  FALLOC_FL_COLLAPSE_RANGE,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  O_APPEND,
  O_RDONLY,
  O_WRONLY,
  SEEK_DATA,
  SEEK_HOLE,
} from '../../helpers/posix/constants.js'

const PUNCH = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE
const KIB = 1024

/** `data` with zeros from `from` to `to`. */
function zeroed(data: Buffer, from: number, to: number): Buffer {
  return Buffer.from(data).fill(0, from, to)
}

export const allocationContract = subject('allocation', (it) => {
  it('extends a file, or not, without changing what is there', ['allocation'], async (t, c) => {
    await writeFile(c, 'f', 'content')
    await withOpen(c, 'f', async (fd) => {
      await c.fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 100_000)
      t.equal((await c.fstat(fd)).size, 7)
      await c.fallocate(fd, 0, 0, 5)
      t.equal((await c.fstat(fd)).size, 7)
      await c.fallocate(fd, 0, 0, 100_000)
      t.equal((await c.fstat(fd)).size, 100_000)
    })
    t.ok((await readFile(c, 'f')).equals(Buffer.concat([Buffer.from('content'), Buffer.alloc(99_993)])))
  })

  it('punches holes at any boundary', ['allocation'], async (t, c) => {
    const data = Buffer.alloc(300_000, 'abcdefg')
    for (const [from, to] of [
      [0, 4096],
      [4096, 12_288],
      [10, 20],
      [100, 5000],
      [60_000, 140_001],
      [299_990, 400_000],
      [0, 300_000],
    ] as const) {
      await writeFile(c, 'f', data)
      await withOpen(c, 'f', (fd) => c.fallocate(fd, PUNCH, from, to - from))
      t.ok((await readFile(c, 'f')).equals(zeroed(data, from, Math.min(to, 300_000))), `from ${from} to ${to}`)
    }
  })

  it('gives back the space of a hole', ['allocation'], async (t, c) => {
    await writeFile(c, 'f', Buffer.alloc(1_000_000, 1))
    await withOpen(c, 'f', async (fd) => {
      await c.fsync(fd)
      const before = (await c.fstat(fd)).blocks
      await c.fallocate(fd, PUNCH, 0, 512 * KIB)
      await c.fsync(fd)
      const after = (await c.fstat(fd)).blocks
      t.ok(after <= before - 900, `${before} blocks became ${after}`)
    })
  })

  it('zeroes ranges, extending or not', ['allocation', 'zeroing ranges'], async (t, c) => {
    const data = Buffer.alloc(50_000, 'abc')
    await writeFile(c, 'f', data)
    await withOpen(c, 'f', async (fd) => {
      await c.fallocate(fd, FALLOC_FL_ZERO_RANGE, 100, 20_000)
      t.ok((await readFile(c, 'f')).equals(zeroed(data, 100, 20_100)))
      await c.fallocate(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 49_000, 20_000)
      t.equal((await c.fstat(fd)).size, 50_000)
      await c.fallocate(fd, FALLOC_FL_ZERO_RANGE, 49_000, 20_000)
      t.equal((await c.fstat(fd)).size, 69_000)
    })
    t.ok((await readFile(c, 'f')).subarray(49_000).equals(Buffer.alloc(20_000)))
  })

  it('refuses what makes no sense', ['allocation'], async (t, c) => {
    await writeFile(c, 'f', 'x')
    await withOpen(c, 'f', async (fd) => {
      await fails(t, 'EINVAL', () => c.fallocate(fd, 0, 0, 0))
      await fails(t, 'EINVAL', () => c.fallocate(fd, 0, -1, 10))
      await fails(t, 'EINVAL', () => c.fallocate(fd, 0, 0, -1))
      await fails(t, 'EOPNOTSUPP', () => c.fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 10), 'punch without keep size')
      await fails(t, 'EFBIG', () => c.fallocate(fd, 0, 0x7fff_ffff_ffff_0000n, 0xffff_ffffn))
    })
    await withOpen(c, 'f', (fd) => fails(t, 'EBADF', () => c.fallocate(fd, 0, 0, 10)), O_RDONLY)
  })

  it('says so when it cannot collapse ranges', ['allocation', 'refusing to collapse'], async (t, c) => {
    await writeFile(c, 'f', Buffer.alloc(8192))
    await withOpen(c, 'f', (fd) => fails(t, 'EOPNOTSUPP', () => c.fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, 4096)))
  })

  it('finds data and holes', ['holes'], async (t, c) => {
    await writeFile(c, 'f')
    await withOpen(c, 'f', async (fd) => {
      await c.pwrite(fd, Buffer.alloc(64 * KIB, 1), 256 * KIB)
      await c.ftruncate(fd, 1024 * KIB)
      await c.fsync(fd)
      t.equal(await c.lseek(fd, 0, SEEK_DATA), BigInt(256 * KIB))
      t.equal(await c.lseek(fd, 0, SEEK_HOLE), 0n)
      t.equal(await c.lseek(fd, 300 * KIB, SEEK_DATA), BigInt(300 * KIB))
      t.equal(await c.lseek(fd, 256 * KIB, SEEK_HOLE), BigInt(320 * KIB))
      t.equal(await c.lseek(fd, 400 * KIB, SEEK_HOLE), BigInt(400 * KIB))
      await fails(t, 'ENXIO', () => c.lseek(fd, 400 * KIB, SEEK_DATA), 'no data behind')
      await fails(t, 'ENXIO', () => c.lseek(fd, 1024 * KIB, SEEK_HOLE), 'at the end')
      await fails(t, 'ENXIO', () => c.lseek(fd, 2048 * KIB, SEEK_DATA), 'beyond the end')
    })
  })

  it('ends the last data with a hole at the end of the file', ['holes'], async (t, c) => {
    await writeFile(c, 'f', Buffer.alloc(10_000, 1))
    await withOpen(c, 'f', async (fd) => {
      t.equal(await c.lseek(fd, 0, SEEK_HOLE), 10_000n)
      t.equal(await c.lseek(fd, 9999, SEEK_DATA), 9999n)
    })
  })

  it('sees a hole that was punched', ['holes', 'allocation'], async (t, c) => {
    await writeFile(c, 'f', Buffer.alloc(512 * KIB, 1))
    await withOpen(c, 'f', async (fd) => {
      await c.fallocate(fd, PUNCH, 128 * KIB, 128 * KIB)
      await c.fsync(fd)
      t.equal(await c.lseek(fd, 0, SEEK_HOLE), BigInt(128 * KIB))
      t.equal(await c.lseek(fd, 128 * KIB, SEEK_DATA), BigInt(256 * KIB))
    })
  })

  it('copies between files and within one', ['copying ranges'], async (t, c) => {
    const data = Buffer.alloc(200_000, 'copy me ')
    await writeFile(c, 'a', data)
    await writeFile(c, 'b', 'old')
    await withOpen(c, 'a', (a) =>
      withOpen(c, 'b', async (b) => {
        t.equal(await c.copyFileRange(a, 10, b, 5, 150_000), 150_000)
        const expected = Buffer.concat([Buffer.from('old\0\0'), data.subarray(10, 150_010)])
        t.ok((await readFile(c, 'b')).equals(expected))
        t.equal(await c.copyFileRange(a, 199_990, b, 0, 1000), 10, 'up to the end of the source')
        t.equal(await c.copyFileRange(a, 200_000, b, 0, 1000), 0, 'nothing behind it')
        t.equal(await c.copyFileRange(a, 0, a, 300_000, 1000), 1000)
        t.ok((await c.pread(a, 1000, 300_000)).equals(data.subarray(0, 1000)))
        await fails(t, 'EINVAL', () => c.copyFileRange(a, 0, a, 500, 1000), 'overlapping')
      }),
    )
  })

  it('refuses to copy into directories, pipes and append-only handles', ['copying ranges'], async (t, c) => {
    await writeFile(c, 'a', 'x')
    await c.mkdir('d')
    await withOpen(c, 'a', async (a) => {
      await withOpen(c, 'a', (b) => fails(t, 'EBADF', () => c.copyFileRange(a, 0, b, 0, 1)), O_WRONLY | O_APPEND)
      await withOpen(c, 'a', (b) => fails(t, 'EBADF', () => c.copyFileRange(a, 0, b, 0, 1)), O_RDONLY)
      await withOpen(c, 'd', (d) => fails(t, 'EISDIR', () => c.copyFileRange(d, 0, a, 0, 1)), O_RDONLY)
    })
  })
})
