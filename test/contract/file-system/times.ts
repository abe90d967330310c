/** Times: what changes them by itself, and setting them to the nanosecond. */
import { laterClock, subject, fails } from './contract.js'
import { readFile, withOpen, writeFile } from '../../helpers/posix/files.js'
import type { PosixClient, Stat } from '../../helpers/posix/client.js'
import { O_RDONLY, R_OK } from '../../helpers/posix/constants.js'

/** Which times a step moves forward, as a string of a, m and c. */
async function moved(c: PosixClient, path: string, step: () => unknown): Promise<string> {
  const before = await c.lstat(path)
  await laterClock()
  await step()
  const after = await c.lstat(path)
  const changed = (field: 'atime' | 'mtime' | 'ctime'): string =>
    after[field] > before[field] ? field.slice(0, 1) : ''
  return changed('atime') + changed('mtime') + changed('ctime')
}

const times = ({ atime, mtime }: Stat): bigint[] => [atime, mtime]

export const timesContract = subject('times', (it) => {
  it('sets all three times of a new file to now', async (t, c) => {
    const parent = await c.stat('.')
    await laterClock()
    await writeFile(c, 'f')
    await c.mkdir('d')
    await c.symlink('x', 's')
    for (const name of ['f', 'd', 's']) {
      const { atime, mtime, ctime } = await c.lstat(name)
      const distance = BigInt(Date.now()) * 1_000_000n - ctime
      t.ok(distance > -1_000_000_000n && distance < 60_000_000_000n, `${name} is from now`)
      t.ok(atime > parent.atime && mtime > parent.mtime, `${name} is later than its directory was`)
    }
  })

  it('changes mtime and ctime when content or size changes', async (t, c) => {
    await writeFile(c, 'f', 'content')
    await withOpen(c, 'f', async (fd) => {
      t.equal(await moved(c, 'f', () => c.pwrite(fd, Buffer.from('C'), 0)), 'mc', 'write')
      t.equal(await moved(c, 'f', () => c.ftruncate(fd, 3)), 'mc', 'shrink')
      t.equal(await moved(c, 'f', () => c.ftruncate(fd, 30)), 'mc', 'extend')
      t.equal(await moved(c, 'f', () => c.truncate('f', 5)), 'mc', 'truncate by path')
      t.equal(await moved(c, 'f', () => c.pwrite(fd, Buffer.alloc(0), 0)), '', 'a write of nothing')
    })
    t.equal(await moved(c, 'f', () => writeFile(c, 'f')), 'mc', 'O_TRUNC')
    t.equal(await moved(c, 'f', () => writeFile(c, 'f')), 'mc', 'O_TRUNC of what is empty')
    await withOpen(c, 'f', async (fd) => {
      t.equal(await moved(c, 'f', () => c.ftruncate(fd, 0)), 'mc', 'ftruncate to the same size')
    })
  })

  it('changes mtime and ctime when space is punched or allocated', ['allocation'], async (t, c) => {
    await writeFile(c, 'f', Buffer.alloc(20_000, 1))
    await withOpen(c, 'f', async (fd) => {
      t.equal(await moved(c, 'f', () => c.fallocate(fd, 3, 0, 8192)), 'mc', 'punch')
      t.equal(await moved(c, 'f', () => c.fallocate(fd, 0, 0, 50_000)), 'mc', 'extend')
    })
  })

  it('changes ctime alone when only the inode changes', async (t, c) => {
    await writeFile(c, 'f')
    t.equal(await moved(c, 'f', () => c.chmod('f', 0o600)), 'c', 'chmod')
    const { uid, gid } = await c.stat('f')
    t.equal(await moved(c, 'f', () => c.chown('f', uid, gid)), 'c', 'chown to the same')
    t.equal(await moved(c, 'f', () => c.setxattr('f', 'user.a', Buffer.from('1'))), 'c', 'setxattr')
    t.equal(await moved(c, 'f', () => c.removexattr('f', 'user.a')), 'c', 'removexattr')
  })

  it('changes nothing when looking only', async (t, c) => {
    await writeFile(c, 'f', 'x')
    await readFile(c, 'f')
    const looks: [string, () => unknown][] = [
      ['stat', () => c.stat('f')],
      ['access', () => c.access('f', R_OK)],
      ['open', async () => c.close(await c.open('f', O_RDONLY))],
      ['listxattr', () => c.listxattr('f')],
      ['a failing call', () => fails(t, 'EEXIST', () => c.mkdir('f'))],
    ]
    for (const [name, look] of looks) t.equal(await moved(c, 'f', look), '', name)
  })

  it('changes atime at the first read after a change', ['access times'], async (t, c) => {
    await writeFile(c, 'f', 'x')
    await laterClock()
    await writeFile(c, 'f', 'y')
    t.equal(await moved(c, 'f', () => readFile(c, 'f')), 'a', 'first read')
    t.equal(await moved(c, 'f', () => readFile(c, 'f')), '', 'second read')
  })

  it('keeps every nanosecond, also before 1970 and after 2038', ['setting times', 'nanoseconds'], async (t, c) => {
    await writeFile(c, 'f')
    const second = 1_000_000_000n
    const wanted = [
      0n,
      1n,
      123456789n * second + 987654321n,
      999_999_999n,
      -1n,
      -1_000_000_000n * second + 1n,
      5_000_000_000n * second + 7n,
    ]
    for (const time of wanted) {
      await c.utimens('f', time, time + 1n)
      t.same(times(await c.stat('f')), [time, time + 1n])
    }
  })

  it('sets each time alone, or to now, and ctime with it', ['setting times'], async (t, c) => {
    await writeFile(c, 'f')
    await c.utimens('f', 1_000_000_000n, 2_000_000_000n)
    await c.utimens('f', 'omit', 3_000_000_000n)
    t.same(times(await c.stat('f')), [1_000_000_000n, 3_000_000_000n])
    await c.utimens('f', 4_000_000_000n, 'omit')
    t.same(times(await c.stat('f')), [4_000_000_000n, 3_000_000_000n])
    t.equal(await moved(c, 'f', () => c.utimens('f', 'now', 'omit')), 'ac')
    t.equal(await moved(c, 'f', () => c.utimens('f', 'omit', 'now')), 'mc')
    t.equal(await moved(c, 'f', () => c.utimens('f', 'omit', 'omit')), '')
    const { ctime } = await c.stat('f')
    await laterClock()
    await c.utimens('f', 0n, 0n)
    t.ok((await c.stat('f')).ctime > ctime, 'ctime is now, not what was set')
  })

  it('sets times by handle, of a directory, and of a symlink itself', ['setting times'], async (t, c) => {
    await writeFile(c, 'f')
    await c.mkdir('d')
    await c.symlink('f', 's')
    await withOpen(c, 'f', (fd) => c.futimens(fd, 5_000_000_000n, 6_000_000_000n))
    await c.utimens('d', 7_000_000_000n, 8_000_000_000n)
    await c.utimens('s', 9_000_000_000n, 10_000_000_000n, false)
    t.same(times(await c.stat('f')), [5_000_000_000n, 6_000_000_000n])
    t.same(times(await c.stat('d')), [7_000_000_000n, 8_000_000_000n])
    t.same(times(await c.lstat('s')), [9_000_000_000n, 10_000_000_000n])
    await c.utimens('s', 11_000_000_000n, 12_000_000_000n)
    t.same(times(await c.stat('f')), [11_000_000_000n, 12_000_000_000n], 'following')
    await fails(t, 'ENOENT', () => c.utimens('none', 'now', 'now'))
  })

  it('keeps times that were set through rename, link and chmod', ['setting times'], async (t, c) => {
    await writeFile(c, 'f')
    await c.utimens('f', 1_000_000_000n, 2_000_000_000n)
    await c.rename('f', 'g')
    await c.link('g', 'h')
    await c.chmod('h', 0o600)
    t.same(times(await c.stat('h')), [1_000_000_000n, 2_000_000_000n])
  })

  it('keeps a write that follows from undoing times set after it', ['setting times'], async (t, c) => {
    await withOpen(
      c,
      'f',
      async (fd) => {
        await c.pwrite(fd, Buffer.from('data'), 0)
        await c.futimens(fd, 1_000_000_000n, 2_000_000_000n)
        await c.fsync(fd)
      },
      0o102,
    )
    t.same(times(await c.stat('f')), [1_000_000_000n, 2_000_000_000n])
  })
})
