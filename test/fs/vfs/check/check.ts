import * as fc from 'fast-check'
import t, { type Test } from 'tap'
import { errorCode } from '../../../../src/engine/error.js'
import { checkFileSystem, type FileSystemFinding } from '../../../../src/fs/vfs/check/check.js'
import { decodeEntries, encodeEntries } from '../../../../src/fs/vfs/records/entry-record.js'
import { decodeInode, encodeInode } from '../../../../src/fs/vfs/records/inode-record.js'
import type { Inode } from '../../../../src/fs/vfs/inodes/inode.js'
import {
  KIND_ENTRY,
  KIND_EXTENT,
  KIND_INODE,
  KIND_ORPHAN,
  KIND_STATE,
  KIND_XATTR,
} from '../../../../src/fs/vfs/records/record-kinds.js'
import { ROOT_INO, type Ino } from '../../../../src/fs/vfs/types.js'
import type { MemoryRecordView } from '../../../helpers/memory-record-view.js'
import {
  KEEP_PRIVILEGES,
  makeDirectory,
  makeFile,
  NAME_KEY,
  nameOf,
  openMemoryFs,
  remountAfterCrash,
  USER,
} from '../../../helpers/open-memory-fs.js'

async function findings(view: MemoryRecordView): Promise<FileSystemFinding[]> {
  const found: FileSystemFinding[] = []
  for await (const finding of checkFileSystem({ view, nameKey: NAME_KEY })) found.push(finding)
  return found
}

const step = fc.record({
  action: fc.constantFrom('file', 'directory', 'symlink', 'temporary', 'link', 'unlink', 'rmdir', 'rename', 'exchange',
    'write', 'truncate', 'xattr', 'unxattr', 'forget', 'sync', 'crash'), // prettier-ignore
  a: fc.nat(30),
  b: fc.nat(30),
  name: fc.nat(8).map((n) => nameOf(`n${n}`)),
  other: fc.nat(8).map((n) => nameOf(`n${n}`)),
})

t.test('nothing is found after any operations, at any commit', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
      let mounted = await openMemoryFs({ cachedInodes: 6 })
      const directories: Ino[] = [ROOT_INO]
      const files: Ino[] = []
      const act = async ({ action, a, b, name, other }: (typeof steps)[number]): Promise<unknown> => {
        const { fs } = mounted
        const directory = directories[a % directories.length] ?? ROOT_INO
        const second = directories[b % directories.length] ?? ROOT_INO
        const file = files[b % Math.max(1, files.length)] ?? 0
        if (action === 'file') return files.push(await makeFile(fs, directory, name, name))
        if (action === 'directory') return directories.push(await makeDirectory(fs, directory, name))
        if (action === 'symlink') return fs.makeSymlink(directory, name, Buffer.from('target'), USER)
        if (action === 'link') return fs.link(file, directory, name, USER)
        if (action === 'unlink') return fs.unlink(directory, name, USER)
        if (action === 'rmdir') return fs.removeDirectory(directory, name, USER)
        if (action === 'rename') return fs.rename(directory, name, second, other, 0, USER)
        if (action === 'exchange') return fs.rename(directory, name, second, other, 2, USER)
        if (action === 'write') return fs.write(file, a * 5000, new Uint8Array(b * 3000), KEEP_PRIVILEGES)
        if (action === 'truncate') return fs.setAttributes(file, { size: a * 4000 }, USER)
        if (action === 'xattr') return fs.setExtendedAttribute(file, `user.${name}`, Buffer.from('v'), 0, USER, false)
        if (action === 'unxattr') return fs.removeExtendedAttribute(file, `user.${name}`, USER)
        if (action === 'forget') fs.release(file, 1)
        if (action === 'sync') return fs.sync()
        if (action === 'temporary') {
          const { ino } = await fs.makeTemporary(directory, 0o600, 0, USER)
          fs.retain(ino)
          return files.push(ino)
        }
        if (action === 'crash') mounted = await remountAfterCrash(mounted, { cachedInodes: 6 })
        return undefined
      }
      for (const operation of steps) {
        try {
          await act(operation)
        } catch (error) {
          if (errorCode(error) === undefined) throw error
        }
        if (operation.action === 'sync' || operation.action === 'crash')
          t.same(await findings(mounted.view.reopened()), [])
      }
      await mounted.fs.close()
      t.same(await findings(mounted.view), [])
      t.same(mounted.warnings, [])
    }),
    { seed: 8, numRuns: 150 },
  )
})

interface Sample {
  view: MemoryRecordView
  directory: Ino
  file: Ino
  far: Ino
}

/** /dir/file, small and with an attribute, and /dir/\xff, with an extent record. */
async function sample(): Promise<Sample> {
  const { fs, view } = await openMemoryFs()
  const directory = await makeDirectory(fs, ROOT_INO, 'dir')
  const file = await makeFile(fs, directory, 'file', 'hello')
  await fs.setExtendedAttribute(file, 'user.x', Buffer.from('v'), 0, USER, false)
  const far = await makeFile(fs, directory, '\xff')
  await fs.write(far, 1_000_000, Buffer.from('far'), KEEP_PRIVILEGES)
  await fs.close()
  return { view, directory, file, far }
}

function changeInode(view: MemoryRecordView, ino: Ino, change: (inode: Inode) => void): void {
  const inode = decodeInode(ino, view.get(KIND_INODE, 0, ino) ?? new Uint8Array())
  change(inode)
  view.put(KIND_INODE, 0, ino, encodeInode(inode))
}

function recordOf(view: MemoryRecordView, kind: number, high: number): { low: number; value: Uint8Array } {
  const found = view.range(kind, high, 0, Number.MAX_SAFE_INTEGER, 1)[0]
  if (found === undefined) throw new Error('no such record')
  return found
}

const damage: Record<string, { expect: [string, string | undefined][]; do: (sample: Sample) => void }> = {
  'a damaged inode': {
    expect: [['inode', '/dir/file']],
    do: ({ view, file }) => view.put(KIND_INODE, 0, file, Uint8Array.of(9)),
  },
  'a missing inode': {
    expect: [['entry', '/dir/\\xff'], ['state', undefined]], // prettier-ignore
    do: ({ view, far }) => view.delete(KIND_INODE, 0, far),
  },
  'a damaged entry': {
    expect: [['entry', '/dir'], ['links', undefined]], // prettier-ignore
    do: ({ view, directory }) => {
      view.put(KIND_ENTRY, directory, recordOf(view, KIND_ENTRY, directory).low, Uint8Array.of(9))
      changeInode(view, directory, (inode) => inode.size--)
    },
  },
  'an entry in a wrong place': {
    expect: [['entry', '/dir']],
    do: ({ view }) => {
      const { low, value } = recordOf(view, KIND_ENTRY, ROOT_INO)
      view.delete(KIND_ENTRY, ROOT_INO, low)
      view.put(KIND_ENTRY, ROOT_INO, low + 1, value)
    },
  },
  'an entry of another type': {
    expect: [['entry', '/dir']],
    do: ({ view }) => {
      const { low, value } = recordOf(view, KIND_ENTRY, ROOT_INO)
      view.put(KIND_ENTRY, ROOT_INO, low, encodeEntries(decodeEntries(value).map((entry) => ({ ...entry, type: 8 }))))
    },
  },
  'a wrong link count': {
    expect: [['links', '/dir/file']],
    do: ({ view, file }) => changeInode(view, file, (inode) => (inode.nlink = 2)),
  },
  'a wrong number of subdirectories': {
    expect: [['links', '/']],
    do: ({ view }) => changeInode(view, ROOT_INO, (inode) => (inode.nlink = 7)),
  },
  'a wrong parent': {
    expect: [['parent', '/dir'], ['parent', undefined]], // prettier-ignore
    do: ({ view, directory, file }) => changeInode(view, directory, (inode) => (inode.parent = file)),
  },
  'a file without a name': {
    expect: [['links', undefined]],
    do: ({ view, directory, far }) => {
      for (const { low, value } of view.range(KIND_ENTRY, directory, 0, Number.MAX_SAFE_INTEGER, 9)) {
        if (decodeEntries(value)[0]?.ino === far) view.delete(KIND_ENTRY, directory, low)
      }
      changeInode(view, directory, (inode) => inode.size--)
    },
  },
  'a damaged extent': {
    expect: [['extent', '/dir/\\xff']],
    do: ({ view, far }) => view.put(KIND_EXTENT, far, recordOf(view, KIND_EXTENT, far).low, Uint8Array.of(9)),
  },
  'an extent beyond the end': {
    expect: [['extent', '/dir/\\xff']],
    do: ({ view, far }) => changeInode(view, far, (inode) => (inode.size = 1_000_001)),
  },
  'a body that is gone': {
    expect: [['body', '/dir/file']],
    do: ({ view, file }) => changeInode(view, file, (inode) => (inode.body = 999)),
  },
  'an extent beyond its body': {
    expect: [['body', '/dir/file']],
    do: ({ view, file }) => changeInode(view, file, (inode) => (inode.bodyOffset = 60_000)),
  },
  'extents that the inode does not know': {
    expect: [['extent', '/dir/file']],
    do: ({ view, file, far }) => view.put(KIND_EXTENT, file, 0, recordOf(view, KIND_EXTENT, far).value),
  },
  'a wrong number of bytes': {
    expect: [['extent', '/dir/file']],
    do: ({ view, file }) => changeInode(view, file, (inode) => (inode.allocated = 4)),
  },
  'a damaged attribute': {
    expect: [['xattr', '/dir/file']],
    do: ({ view, file }) => view.put(KIND_XATTR, file, recordOf(view, KIND_XATTR, file).low, Uint8Array.of(9)),
  },
  'attributes that the inode does not know': {
    expect: [['xattr', '/dir/file']],
    do: ({ view, file }) => changeInode(view, file, (inode) => (inode.xattrs = 0)),
  },
  'an orphan that does not exist': {
    expect: [['orphan', undefined]],
    do: ({ view }) => view.put(KIND_ORPHAN, 0, 77, Uint8Array.of(1)),
  },
  'an inode number that was never given out': {
    expect: [['inode', undefined]],
    do: ({ view, file }) => view.put(KIND_INODE, 0, 200, view.get(KIND_INODE, 0, file) ?? new Uint8Array()),
  },
  'no count of inodes': {
    expect: [['state', undefined]],
    do: ({ view }) => view.put(KIND_STATE, 0, 1, Uint8Array.of(9)),
  },
}

t.test('a whole file system has no findings', async (t) => {
  t.same(await findings((await sample()).view), [])
})

for (const [name, { expect, do: apply }] of Object.entries(damage)) {
  t.test(`finds ${name}`, async (t: Test) => {
    const made = await sample()
    apply(made)
    const found = await findings(made.view)
    t.same(
      found.map(({ kind, path }) => [kind, path]),
      expect,
      JSON.stringify(found),
    )
  })
}

t.test('directories that form a circle are found', async (t) => {
  const { fs, view } = await openMemoryFs()
  const a = await makeDirectory(fs, ROOT_INO, 'a')
  const b = await makeDirectory(fs, a, 'b')
  await fs.close()
  const { low, value } = recordOf(view, KIND_ENTRY, ROOT_INO)
  view.delete(KIND_ENTRY, ROOT_INO, low)
  view.put(KIND_ENTRY, b, low, value)
  changeInode(view, ROOT_INO, (inode) => {
    inode.nlink--
    inode.size--
  })
  changeInode(view, b, (inode) => {
    inode.nlink++
    inode.size++
  })
  changeInode(view, a, (inode) => (inode.parent = b))
  const found = await findings(view)
  t.same(
    found.map(({ kind, ino }) => [kind, ino]),
    [
      ['parent', a],
      ['parent', b],
    ],
  )
  const after = await openMemoryFs({}, view)
  const c = await makeDirectory(after.fs, ROOT_INO, 'c')
  t.throws(() => after.fs.rename(ROOT_INO, nameOf('c'), a, nameOf('c'), 0, USER), { code: 'INPUT_OUTPUT' }, `${c}`)
})
