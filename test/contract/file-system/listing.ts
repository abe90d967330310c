/** Listing directories: big ones, in pieces, from cookies, and while they change. */
import { subject } from './contract.js'
import { names, remainingEntries, withOpen, writeFile } from '../../helpers/posix/files.js'
import type { DirectoryEntry, PosixClient } from '../../helpers/posix/client.js'
import { O_DIRECTORY, O_RDONLY, SEEK_SET } from '../../helpers/posix/constants.js'

const LIST = O_RDONLY | O_DIRECTORY

async function fill(c: PosixClient, prefix: string, count: number): Promise<string[]> {
  const made = Array.from({ length: count }, (_, index) => `${prefix}${index}`)
  for (const name of made) await c.mknod(name, 0o100644)
  return made
}

const text = (listed: readonly DirectoryEntry[]): string[] => listed.map(({ name }) => name.toString())
const visible = (listed: readonly DirectoryEntry[]): string[] => text(listed).filter((name) => !/^\.\.?$/.test(name))

export const listingContract = subject('listing', (it) => {
  it('lists an empty directory as . and ..', async (t, c) => {
    await withOpen(c, '.', async (fd) => t.same(text(await remainingEntries(c, fd)).sort(), ['.', '..']), LIST)
  })

  it('lists each of 3,000 entries once, in pieces of any size', async (t, c) => {
    const made = await fill(c, 'entry-', 3000)
    for (const bytes of [300, 4096, 65_536]) {
      await withOpen(
        c,
        '.',
        async (fd) => {
          t.same(visible(await remainingEntries(c, fd, bytes)).sort(), [...made].sort(), `${bytes} bytes at a time`)
        },
        LIST,
      )
    }
  })

  it('goes on from any cookie', ['directory cookies'], async (t, c) => {
    await fill(c, 'e', 500)
    await withOpen(
      c,
      '.',
      async (fd) => {
        const all = await remainingEntries(c, fd)
        for (let index = 0; index < all.length; index += 37) {
          await c.lseek(fd, all[index]?.cookie ?? 0n, SEEK_SET)
          t.same(text(await remainingEntries(c, fd, 1024)), text(all.slice(index + 1)), `from ${index}`)
        }
      },
      LIST,
    )
  })

  it('shows what is new after a rewind', async (t, c) => {
    await withOpen(
      c,
      '.',
      async (fd) => {
        t.same(visible(await remainingEntries(c, fd)), [])
        await writeFile(c, 'new')
        await c.lseek(fd, 0, SEEK_SET)
        t.same(visible(await remainingEntries(c, fd)), ['new'])
        await c.unlink('new')
        await c.lseek(fd, 0, SEEK_SET)
        t.same(visible(await remainingEntries(c, fd)), [])
      },
      LIST,
    )
  })

  it('lists what stays exactly once while others come and go', ['directory cookies'], async (t, c) => {
    const stays = await fill(c, 'stays-', 400)
    const goes = await fill(c, 'goes-', 400)
    await withOpen(
      c,
      '.',
      async (fd) => {
        const listed: DirectoryEntry[] = []
        for (let round = 0; ; round++) {
          const some = await c.getdents(fd, 2048)
          if (some.length === 0) break
          listed.push(...some)
          for (const name of goes.splice(0, 20)) await c.unlink(name)
          await fill(c, `comes-${round}-`, 10)
        }
        const counts = new Map<string, number>()
        for (const name of text(listed)) counts.set(name, (counts.get(name) ?? 0) + 1)
        t.same(
          stays.filter((name) => counts.get(name) !== 1),
          [],
          'what stays',
        )
        t.same(
          [...counts].filter(([, count]) => count > 1),
          [],
          'nothing twice',
        )
      },
      LIST,
    )
  })

  it('goes on from the cookie of an entry that is gone', ['directory cookies'], async (t, c) => {
    await fill(c, 'e', 200)
    await withOpen(
      c,
      '.',
      async (fd) => {
        const all = await remainingEntries(c, fd)
        const index = 100
        for (const { name } of all.slice(index - 5, index + 1).filter(({ name }) => name.length > 2))
          await c.unlink(name)
        await c.lseek(fd, all[index]?.cookie ?? 0n, SEEK_SET)
        t.same(text(await remainingEntries(c, fd)), text(all.slice(index + 1)))
      },
      LIST,
    )
  })

  it('leaves nothing when everything listed is removed as it comes', async (t, c) => {
    await fill(c, 'e', 1500)
    await withOpen(
      c,
      '.',
      async (fd) => {
        for (;;) {
          const some = await c.getdents(fd, 4096)
          if (some.length === 0) break
          for (const name of visible(some)) await c.unlink(name)
        }
      },
      LIST,
    )
    t.same(await names(c), [])
    await c.mkdir('d')
    await c.rmdir('d')
  })

  it('shows a renamed entry under its new name only, in the end', async (t, c) => {
    await fill(c, 'e', 100)
    for (let index = 0; index < 100; index++) await c.rename(`e${index}`, `r${index}`)
    const listed = await names(c)
    t.equal(listed.length, 100)
    t.ok(listed.every((name) => name.startsWith('r')))
  })
})
