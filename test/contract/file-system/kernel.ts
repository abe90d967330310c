/** Locks and mappings: only where a kernel is in front of the file system, so with real system calls only. */
import { type Test } from 'tap'
import { fails, type SystemUnderTest } from './contract.js'
import {
  F_RDLCK,
  F_UNLCK,
  F_WRLCK,
  LOCK_EX,
  LOCK_SH,
  LOCK_UN,
  flock,
  lockAsOpenFile,
  mapFile,
} from '../../helpers/posix/kernel-calls.js'
import { OtherProcess } from '../../helpers/posix/other-process.js'
import { readFile, readText, withOpen, writeFile } from '../../helpers/posix/files.js'
import { O_RDONLY } from '../../helpers/posix/constants.js'
import type { SyscallClient } from '../../helpers/posix/syscall-client.js'

/** A system behind a kernel: reached by real system calls. */
export interface KernelSystem extends SystemUnderTest {
  client: SyscallClient
}

export async function runKernelContract(t: Test, system: KernelSystem): Promise<void> {
  await t.test(`${system.name}: locks`, (t) => lockContract(t, system.client))
  await t.test(`${system.name}: mappings`, (t) => mappingContract(t, system.client))
}

const WHOLE = { start: 0, length: 0 }

/** flock(2) and fcntl(2) locks, between open files and between processes. */
async function lockContract(t: Test, c: SyscallClient): Promise<void> {
  await writeFile(c, 'f', 'locked')
  const path = `${c.root.toString()}/f`

  await t.test('flock excludes other open files, shares with sharers, and ends with the close', async (t) => {
    const first = c.open('f', O_RDONLY)
    const second = c.open('f', O_RDONLY)
    flock(first, LOCK_EX)
    await fails(t, 'EAGAIN', () => flock(second, LOCK_SH))
    flock(first, LOCK_SH)
    flock(second, LOCK_SH)
    await fails(t, 'EAGAIN', () => flock(second, LOCK_EX))
    c.close(first)
    flock(second, LOCK_EX)
    flock(second, LOCK_UN)
    c.close(second)
    t.pass('unlocked')
  })

  await t.test('record locks exclude where they overlap, for as long as the open file lives', async (t) => {
    await withOpen(c, 'f', (first) =>
      withOpen(c, 'f', async (second) => {
        lockAsOpenFile(first, { type: F_WRLCK, start: 0, length: 10 })
        await fails(t, 'EAGAIN', () => lockAsOpenFile(second, { type: F_RDLCK, start: 9, length: 1 }))
        lockAsOpenFile(second, { type: F_WRLCK, start: 10, length: 10 })
        lockAsOpenFile(first, { type: F_UNLCK, start: 5, length: 5 })
        lockAsOpenFile(second, { type: F_WRLCK, start: 5, length: 5 })
        await fails(t, 'EAGAIN', () => lockAsOpenFile(second, { type: F_RDLCK, start: 4, length: 1 }))
      }),
    )
    await withOpen(c, 'f', (fd) => lockAsOpenFile(fd, { type: F_WRLCK, ...WHOLE }))
    t.pass('both are gone')
  })

  await t.test('another process is kept out until the holder unlocks, closes or is killed', async (t) => {
    const other = new OtherProcess(t)
    await other.ask({ call: 'open', path })
    t.equal(await other.ask({ call: 'fcntl', lock: { type: F_WRLCK, ...WHOLE } }), null)
    t.equal(await other.ask({ call: 'flock', operation: LOCK_EX }), null)
    await withOpen(c, 'f', async (fd) => {
      await fails(t, 'EAGAIN', () => lockAsOpenFile(fd, { type: F_RDLCK, ...WHOLE }))
      await fails(t, 'EAGAIN', () => flock(fd, LOCK_SH))
      t.equal(await other.ask({ call: 'close' }), null)
      lockAsOpenFile(fd, { type: F_WRLCK, ...WHOLE })
      flock(fd, LOCK_EX)
      await other.ask({ call: 'open', path })
      t.equal(await other.ask({ call: 'fcntl', lock: { type: F_RDLCK, ...WHOLE } }), 'EAGAIN')
      t.equal(await other.ask({ call: 'flock', operation: LOCK_SH }), 'EAGAIN')
    })
    t.equal(await other.ask({ call: 'fcntl', lock: { type: F_WRLCK, ...WHOLE } }), null)
    t.equal(await other.ask({ call: 'flock', operation: LOCK_EX }), null)
    await other.kill()
    await withOpen(c, 'f', (fd) => {
      lockAsOpenFile(fd, { type: F_WRLCK, ...WHOLE })
      flock(fd, LOCK_EX)
    })
    t.pass('a killed holder holds nothing')
  })
}

/** mmap(2). */
async function mappingContract(t: Test, c: SyscallClient): Promise<void> {
  await t.test('a shared mapping shows the file and writes to it', async (t) => {
    await writeFile(c, 'm', Buffer.alloc(20_000, 'a'))
    await withOpen(c, 'm', async (fd) => {
      const mapping = mapFile(fd, 20_000)
      t.equal(Buffer.from(mapping.bytes).toString('latin1', 0, 3), 'aaa')
      mapping.bytes.set(Buffer.from('mapped'), 9000)
      t.equal(c.pread(fd, 6, 9000).toString(), 'mapped', 'read sees it at once')
      c.pwrite(fd, Buffer.from('written'), 12_000)
      t.equal(Buffer.from(mapping.bytes.subarray(12_000, 12_007)).toString(), 'written', 'and it sees writes')
      mapping.sync()
      mapping.unmap()
    })
    const expected = Buffer.alloc(20_000, 'a')
    expected.write('mapped', 9000)
    expected.write('written', 12_000)
    t.ok((await readFile(c, 'm')).equals(expected))
  })

  await t.test('a mapping outlives the close and the name', async (t) => {
    await writeFile(c, 'n', 'still here')
    const mapping = await withOpen(c, 'n', (fd) => mapFile(fd, 4096))
    c.link('n', 'kept')
    c.unlink('n')
    mapping.bytes.set(Buffer.from('STILL'), 0)
    mapping.sync()
    mapping.unmap()
    t.equal(await readText(c, 'kept'), 'STILL here', 'and writes nothing beyond the end')
  })

  await t.test('a private mapping keeps its changes to itself', async (t) => {
    await writeFile(c, 'p', 'original')
    await withOpen(c, 'p', (fd) => {
      const mapping = mapFile(fd, 8, { shared: false })
      mapping.bytes.set(Buffer.from('changed!'), 0)
      t.equal(Buffer.from(mapping.bytes).toString(), 'changed!')
      mapping.unmap()
    })
    t.equal(await readText(c, 'p'), 'original')
  })

  await t.test('a mapping of a sparse file fills holes where it is written', async (t) => {
    await writeFile(c, 's')
    await withOpen(c, 's', (fd) => {
      c.ftruncate(fd, 1_000_000)
      const mapping = mapFile(fd, 1_000_000)
      for (let at = 0; at < 1_000_000; at += 100_000) mapping.bytes[at] = at / 100_000 + 1
      mapping.sync()
      mapping.unmap()
    })
    const data = await readFile(c, 's')
    t.equal(data.length, 1_000_000)
    t.same(
      Array.from({ length: 10 }, (_, index) => data[index * 100_000]),
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    )
    t.equal(
      data.reduce((sum, byte) => sum + byte, 0),
      55,
      'zeros elsewhere',
    )
  })

  await t.test('a mapping for reading only cannot come from a handle for writing only, nor the reverse', async (t) => {
    await writeFile(c, 'r', 'x')
    await withOpen(c, 'r', (fd) => fails(t, 'EACCES', () => mapFile(fd, 1)), O_RDONLY)
    await withOpen(c, 'r', (fd) => fails(t, 'EACCES', () => mapFile(fd, 1, { writable: false })), 1)
  })
}
