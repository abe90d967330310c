/** What is no everyday tail: a tree deeper than calls may be, or in a circle, and a merge that breaks off. */
import t from 'tap'
import { Inode } from '../../../../src/fs/vfs/inodes/inode.js'
import { entryType, S_IFDIR } from '../../../../src/fs/vfs/inodes/modes.js'
import { type DirectoryParts, MergedDirectories } from '../../../../src/fs/vfs/merge/merged-directories.js'
import { encodeInode } from '../../../../src/fs/vfs/records/inode-record.js'
import { ROOT_INO, type Ino } from '../../../../src/fs/vfs/types.js'
import { makeDirectory, makeFile } from '../../../helpers/open-memory-fs.js'
import { partedCopies, tailOf } from '../../../helpers/parted-copies.js'

const nothing = (): Promise<void> => Promise.resolve()

await t.test('a directory is placed however deep it lies, and in a circle it is in the root', (t) => {
  const depth = 20_000
  const circle = [depth + 10, depth + 11]
  const inode = (ino: Ino): Uint8Array => {
    const directory = new Inode(ino, 0o040755)
    directory.nlink = 2
    directory.parent = ino === circle[0] ? ino + 1 : ino - 1
    return encodeInode(directory)
  }
  const none = { get: () => undefined, range: () => [] }
  const records = { get: (_kind: number, _high: number, ino: Ino) => inode(ino), range: () => [] }
  // Everything is there by its name already.
  const entries = { find: (parent: Ino) => ({ ino: parent + 1, type: entryType(S_IFDIR) }) }
  const parts = { state: { entries, inodes: none }, tail: { mine: records, base: none } }
  const directories = new MergedDirectories(parts as unknown as DirectoryParts)
  t.equal(directories.place(depth), depth)
  for (const ino of circle) t.type(directories.place(ino), 'number')
  t.end()
})

await t.test('of a merge that breaks off nothing is ever committed', async (t) => {
  const copies = await partedCopies(nothing)
  const { mine, theirs } = copies
  await makeDirectory(mine.fs, ROOT_INO, 'd')
  const whole = await tailOf(copies)
  const before = theirs.chain.view.writerStatus.headSequence
  let reads = 0
  const tail = {
    ...whole,
    // Looked at before anything is changed, and written at the end.
    get digest(): Uint8Array {
      if (reads++ > 0) throw new RangeError('too deep')
      return whole.digest
    },
  }
  await t.rejects(theirs.fs.merge(tail), { code: 'WRITE_FAILED' })
  await t.rejects(theirs.fs.sync(), { code: 'WRITE_FAILED' })
  await t.rejects(async () => makeFile(theirs.fs, ROOT_INO, 'later'), { code: 'READ_ONLY' })
  await t.rejects(theirs.fs.close(), { code: 'WRITE_FAILED' })
  await t.rejects(theirs.chain.view.commit(), { code: 'WRITE_FAILED' })
  t.equal(theirs.chain.view.writerStatus.headSequence, before)
})
