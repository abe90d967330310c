// One fresh journaled ext4 in a loop-mounted image file: every system under test stores its data there, so that none
// profits or suffers from the history of the disk below.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from './command.js'

export interface Image {
  /** Scratch directory beside the image, on the disk of the machine. */
  readonly scratch: string
  /** Where the image is mounted. */
  readonly root: string
  destroy(): Promise<void>
}

/** Makes and mounts an image of `gibibytes`, preallocated so that the disk below does not allocate while we measure. */
export async function createImage(gibibytes: number, parent = tmpdir()): Promise<Image> {
  const scratch = await mkdtemp(join(parent, 'atefs-bench-'))
  const file = join(scratch, 'ext4.img')
  const root = join(scratch, 'image')
  try {
    await mkdir(root)
    await run('fallocate', ['-l', `${gibibytes}GiB`, file])
    // No lazy initialization: it would go on in the background of the first rows.
    await run('mkfs.ext4', ['-q', '-F', '-E', 'nodiscard,lazy_itable_init=0,lazy_journal_init=0', file])
    await run('mount', ['-o', 'loop', file, root])
  } catch (error) {
    await rm(scratch, { recursive: true, force: true })
    throw error
  }
  return {
    scratch,
    root,
    async destroy() {
      await run('umount', [root])
      await rm(scratch, { recursive: true, force: true })
    },
  }
}

/**
 * Drops the dentry and inode caches of the machine and, unless `keepPages`, the page cache; daemons keep their own
 * memory. Only what is on the disk can be dropped: settle first.
 */
export async function dropCaches(keepPages = false): Promise<void> {
  await writeFile('/proc/sys/vm/drop_caches', keepPages ? '2' : '3')
  // The kernel now sends a FORGET for each inode it dropped: let every daemon take them in.
  await new Promise((resolve) => setTimeout(resolve, 150))
}

/** Brings all files into the page cache, whoever wrote them: the segments of a chain are written past it. */
export async function readFiles(directory: string): Promise<void> {
  await run('sh', ['-c', 'find "$1" -type f -exec cat {} + > /dev/null', 'sh', directory])
}
