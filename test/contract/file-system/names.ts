/** Names are bytes: 1 to 255 of them, anything but NUL and '/'. */
import { subject, fails } from './contract.js'
import { entries, names, readText, writeFile } from '../../helpers/posix/files.js'

export const namesContract = subject('names', (it) => {
  it('keeps a name of 255 bytes and refuses one of 256 in every call', async (t, c) => {
    const longest = 'n'.repeat(255)
    await writeFile(c, longest, 'kept')
    t.equal(await readText(c, longest), 'kept')
    t.same(await names(c), [longest])
    const tooLong = 'n'.repeat(256)
    await writeFile(c, 'file')
    const calls: [string, () => unknown][] = [
      ['stat', () => c.stat(tooLong)],
      ['open', () => writeFile(c, tooLong)],
      ['mkdir', () => c.mkdir(tooLong)],
      ['symlink', () => c.symlink('x', tooLong)],
      ['link', () => c.link('file', tooLong)],
      ['rename to', () => c.rename('file', tooLong)],
      ['rename from', () => c.rename(tooLong, 'file')],
      ['mknod', () => c.mknod(tooLong, 0o010644)],
      ['unlink', () => c.unlink(tooLong)],
      ['rmdir', () => c.rmdir(tooLong)],
      ['within a path', () => c.stat(`${tooLong}/x`)],
    ]
    for (const [name, call] of calls) await fails(t, 'ENAMETOOLONG', call, name)
  })

  it('counts bytes, not characters', async (t, c) => {
    const longest = 'ä'.repeat(127)
    await writeFile(c, longest)
    t.same(await names(c), [Buffer.from(longest).toString('latin1')])
    await fails(t, 'ENAMETOOLONG', () => c.mkdir('ä'.repeat(128)))
  })

  it('keeps every byte but NUL and the slash', ['names that are not UTF-8'], async (t, c) => {
    const made: string[] = []
    for (let byte = 1; byte < 256; byte++) {
      if (byte === 0x2f || byte === 0x2e) continue
      const name = Buffer.of(byte)
      await writeFile(c, name, `${byte}`)
      made.push(name.toString('latin1'))
    }
    t.same(await names(c), made.sort())
    for (const name of ['\xff', '\x80', '\n', '\\']) {
      t.equal(await readText(c, Buffer.from(name, 'latin1')), String(name.charCodeAt(0)))
    }
  })

  it('keeps long names that are not UTF-8 through rename and link', ['names that are not UTF-8'], async (t, c) => {
    const first = Buffer.alloc(255, 0xfe)
    const second = Buffer.concat([Buffer.alloc(254, 0xfe), Buffer.of(0xc3)])
    const third = Buffer.concat([Buffer.alloc(253, 0x80), Buffer.of(0xed, 0xa0)])
    await writeFile(c, first, 'bytes')
    await c.rename(first, second)
    await c.link(second, third)
    t.same(await names(c), [second.toString('latin1'), third.toString('latin1')].sort())
    t.equal(await readText(c, third), 'bytes')
  })

  it('tells apart names that differ in case, in composition or by a trailing space or dot', async (t, c) => {
    const distinct = ['a', 'A', 'é', 'e\u0301', 'x', 'x ', 'x.', ' x', '...', '.hidden', '-rf', '*', 'con', 'a:b']
    for (const name of distinct) await writeFile(c, name, name)
    for (const name of distinct) t.equal(await readText(c, name), name)
    t.equal((await names(c)).length, distinct.length)
  })

  it('understands . and .. and repeated slashes', async (t, c) => {
    await c.mkdir('d')
    await c.mkdir('d/e')
    await writeFile(c, 'd/f', 'here')
    for (const path of ['d/./f', 'd/e/../f', './/d///f', 'd/../d/f', 'd/e/../../d/e/../f']) {
      t.equal(await readText(c, path), 'here', path)
    }
    t.equal((await c.stat('d/e/..')).ino, (await c.stat('d')).ino)
    t.equal((await c.stat('d/.')).ino, (await c.stat('d')).ino)
  })

  it('lists . and .. with their inode numbers', async (t, c) => {
    await c.mkdir('d')
    const listed = await entries(c, 'd')
    const ino = (name: string): number | undefined => listed.find((entry) => entry.name.toString() === name)?.ino
    t.equal(ino('.'), (await c.stat('d')).ino)
    t.equal(ino('..'), (await c.stat('.')).ino)
  })

  it('refuses to make, remove or rename . and ..', async (t, c) => {
    await c.mkdir('d')
    await fails(t, 'EEXIST', () => c.mkdir('d/.'), 'mkdir .')
    await fails(t, 'EEXIST', () => c.mkdir('d/..'), 'mkdir ..')
    await fails(t, 'EINVAL', () => c.rmdir('d/.'), 'rmdir .')
    await fails(t, 'ENOTEMPTY', () => c.rmdir('d/..'), 'rmdir ..')
    await fails(t, 'EBUSY', () => c.rename('d/.', 'e'), 'rename . away')
    await fails(t, 'EBUSY', () => c.rename('d', 'd/..'), 'rename onto ..')
  })
})
