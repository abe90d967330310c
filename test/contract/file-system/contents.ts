/** Reading, writing and truncating, at any offset and size. */
import { subject, fails } from './contract.js'
import { readFile, readText, withOpen, writeFile } from '../../helpers/posix/files.js'
import { O_CREAT, O_RDWR, O_TRUNC } from '../../helpers/posix/constants.js'

const NEW = O_RDWR | O_CREAT | O_TRUNC
const MIB = 1024 * 1024
const GIB = 1024 * MIB

/** A repeatable generator: 32-bit xorshift. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

export const contentsContract = subject('contents', (it) => {
  it('returns what was written, at sizes around pages, blocks and bodies', async (t, c) => {
    for (const size of [0, 1, 511, 512, 4095, 4096, 4097, 65535, 65536, 65537, 131072, 131073, 3 * MIB + 5]) {
      const data = Buffer.alloc(size, 'abcdefghijklm')
      await writeFile(c, 'f', data)
      t.equal((await c.stat('f')).size, size)
      t.ok((await readFile(c, 'f')).equals(data), `${size} bytes`)
    }
  })

  it('reads short at the end and nothing beyond it', async (t, c) => {
    await writeFile(c, 'f', '0123456789')
    await withOpen(c, 'f', async (fd) => {
      t.equal((await c.pread(fd, 100, 7)).toString(), '789')
      t.equal((await c.pread(fd, 100, 10)).length, 0)
      t.equal((await c.pread(fd, 100, 5_000_000_000)).length, 0)
      t.equal((await c.pread(fd, 0, 0)).length, 0)
      await fails(t, 'EINVAL', () => c.pread(fd, 1, -1))
      await fails(t, 'EINVAL', () => c.pwrite(fd, Buffer.of(1), -1))
    })
  })

  it('overwrites within, across the end, and fills the gap with zeros', async (t, c) => {
    await writeFile(c, 'f', '0123456789')
    await withOpen(c, 'f', async (fd) => {
      await c.pwrite(fd, Buffer.from('ab'), 4)
      t.equal(await readText(c, 'f'), '0123ab6789')
      await c.pwrite(fd, Buffer.from('XYZ'), 8)
      t.equal(await readText(c, 'f'), '0123ab67XYZ')
      await c.pwrite(fd, Buffer.from('!'), 14)
      t.equal(await readText(c, 'f'), '0123ab67XYZ\0\0\0!')
    })
  })

  it('shrinks and extends, and never shows again what was cut off', async (t, c) => {
    await withOpen(
      c,
      'f',
      async (fd) => {
        const data = Buffer.alloc(200_000, 'x')
        await c.pwrite(fd, data, 0)
        for (const size of [150_000, 4097, 4096, 100, 1, 0]) {
          await c.ftruncate(fd, size)
          await c.ftruncate(fd, 200_000)
          const expected = Buffer.alloc(200_000)
          data.copy(expected, 0, 0, size)
          t.ok((await readFile(c, 'f')).equals(expected), `cut at ${size}`)
          await c.pwrite(fd, data, 0)
        }
        await c.ftruncate(fd, 10)
        await c.pwrite(fd, Buffer.from('y'), 5000)
        t.equal(
          (await c.pread(fd, 5000, 10)).findIndex((byte) => byte !== 0),
          4990,
          'a gap behind a cut is zero',
        )
      },
      NEW,
    )
  })

  it('refuses to truncate what is no file or below zero', async (t, c) => {
    await c.mkdir('d')
    await writeFile(c, 'f', 'x')
    await fails(t, 'EISDIR', () => c.truncate('d', 0))
    await fails(t, 'ENOENT', () => c.truncate('none', 0))
    await fails(t, 'EINVAL', () => c.truncate('f', -1))
    await fails(t, 'ENOTDIR', () => c.truncate('f/x', 0))
    t.equal(await readText(c, 'f'), 'x')
  })

  it('agrees with a buffer in memory after random writes, cuts and holes', async (t, c) => {
    const random = randomNumbers(20_240_607)
    let model = Buffer.alloc(0)
    const grow = (size: number): void => {
      if (size > model.length) model = Buffer.concat([model, Buffer.alloc(size - model.length)])
    }
    await withOpen(
      c,
      'f',
      async (fd) => {
        for (let step = 0; step < 300; step++) {
          const offset = random(400_000)
          const length = random(step % 10 === 0 ? 150_000 : 9000)
          if (random(8) === 0) {
            await c.ftruncate(fd, offset)
            grow(offset)
            model = Buffer.from(model.subarray(0, offset))
          } else {
            const data = Buffer.alloc(length, step + 1)
            await c.pwrite(fd, data, offset)
            if (length > 0) grow(offset + length)
            data.copy(model, offset)
          }
          if (random(20) === 0) await c.fsync(fd)
          const from = random(400_000)
          const part = await c.pread(fd, 30_000, from)
          if (!part.equals(model.subarray(from, from + 30_000))) t.fail(`differs after step ${step}`)
        }
        t.ok((await readFile(c, 'f')).equals(model))
      },
      NEW,
    )
  })

  it('serves offsets beyond 4 GiB without taking space for the holes', ['big offsets'], async (t, c) => {
    await withOpen(
      c,
      'f',
      async (fd) => {
        const offsets = [0, 2 * GIB - 3, 4 * GIB - 3, 5 * GIB, 1024 * GIB + 1]
        for (const offset of offsets) await c.pwrite(fd, Buffer.from(`at ${offset}`), offset)
        const { size, blocks } = await c.fstat(fd)
        t.equal(size, 1024 * GIB + 1 + `at ${1024 * GIB + 1}`.length)
        t.ok(blocks < 1000, `${blocks} blocks`)
        await c.fsync(fd)
        for (const offset of offsets) {
          const text = `at ${offset}`
          t.equal((await c.pread(fd, text.length, offset)).toString(), text)
        }
        t.ok((await c.pread(fd, 10_000, 3 * GIB)).equals(Buffer.alloc(10_000)))
        await c.ftruncate(fd, 4 * GIB)
        t.equal((await c.pread(fd, 100, 4 * GIB - 3)).toString(), 'at ')
        await c.ftruncate(fd, 6 * GIB)
        t.ok((await c.pread(fd, 100, 5 * GIB)).equals(Buffer.alloc(100)))
      },
      NEW,
    )
  })

  it('refuses sizes that no file can have', async (t, c) => {
    await writeFile(c, 'f', 'x')
    await fails(t, 'EFBIG', () => c.truncate('f', 0x7fff_ffff_ffff_ffffn))
    await withOpen(c, 'f', async (fd) => {
      await fails(t, 'EFBIG', () => c.pwrite(fd, Buffer.from('xy'), 0x7fff_ffff_ffff_fff0n))
    })
    t.equal(await readText(c, 'f'), 'x')
  })

  it('counts blocks that are there, roughly', async (t, c) => {
    await writeFile(c, 'f', Buffer.alloc(1_000_000, 1))
    await withOpen(c, 'f', (fd) => c.fsync(fd))
    const { blocks } = await c.stat('f')
    t.ok(blocks * 512 >= 900_000 && blocks * 512 <= 1_200_000, `${blocks} blocks for a million bytes`)
  })

  it('keeps two handles of one file coherent', async (t, c) => {
    await withOpen(
      c,
      'f',
      (first) =>
        withOpen(c, 'f', async (second) => {
          await c.pwrite(first, Buffer.from('from one'), 0)
          t.equal((await c.pread(second, 100, 0)).toString(), 'from one')
          await c.ftruncate(second, 4)
          t.equal((await c.pread(first, 100, 0)).toString(), 'from')
          t.equal((await c.fstat(first)).size, 4)
        }),
      NEW,
    )
  })
})
