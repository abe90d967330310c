/** Operations on names: making, linking, moving and removing them, and listing directories. */
import type { FuseOperations } from 'fuse-native'
import { AteError } from '../../../engine/error.js'
import type { Name } from '../../vfs/types.js'
import type { Context } from './context.js'
import { shownIno } from './stat-words.js'
import { bytesOfText, textOfBytes } from './text-names.js'

/** The kernel has applied it. */
const NO_UMASK = 0
const DIRECTORY_TYPE = 4
const RENAME_PLAIN = 0

type NameOperations = Pick<
  FuseOperations,
  'mknod' | 'mkdir' | 'symlink' | 'link' | 'unlink' | 'rmdir' | 'rename' | 'readdir' | 'readlink'
>

export function nameOperations(x: Context): NameOperations {
  const { fs, paths, hidden, caller } = x
  return {
    mknod: (path, mode, device, reply) =>
      x.serve(reply, async () => {
        const { parent, name } = await paths.place(path)
        await fs.makeNode(parent, name, { mode, rdev: device, umask: NO_UMASK }, caller)
      }),
    mkdir: (path, mode, reply) =>
      x.serve(reply, async () => {
        const { parent, name } = await paths.place(path)
        await fs.makeDirectory(parent, name, mode, NO_UMASK, caller)
      }),
    symlink: (target, path, reply) =>
      x.serve(reply, async () => {
        const { parent, name } = await paths.place(path)
        await fs.makeSymlink(parent, name, Buffer.from(bytesOfText(target), 'latin1'), caller)
      }),
    link: (from, to, reply) =>
      x.serve(reply, async () => {
        const ino = await paths.ino(from)
        const { parent, name } = await paths.place(to)
        await fs.link(ino, parent, name, caller)
      }),
    unlink: (path, reply) =>
      x.serve(reply, async () => {
        if (hidden.remove(path)) return
        const { parent, name } = await paths.place(path)
        await fs.unlink(parent, name, caller)
      }),
    rmdir: (path, reply) => x.serve(reply, () => removeDirectory(x, path)),
    rename: (from, to, reply) => x.serve(reply, () => rename(x, from, to)),
    readdir: (path, reply) => {
      const names: string[] = []
      const stats: { mode: number; ino: number }[] = []
      const add = (name: Name, ino: number, type: number): boolean => {
        names.push(textOfBytes(name))
        // The type alone is looked at, in its place in the mode.
        stats.push({ mode: type << 12, ino: shownIno(ino) })
        return true
      }
      const list = async (): Promise<void> => fs.readDirectory(await paths.ino(path), 0, add)
      void list().then(
        () => reply(0, names, stats),
        (error: unknown) => reply(x.negativeErrno(error)),
      )
    },
    readlink: (path, reply) =>
      x.serveValue(reply, async () => Buffer.from(await fs.readLink(await paths.ino(path))).toString('utf8')),
  }
}

async function removeDirectory({ fs, paths, hidden, caller }: Context, path: string): Promise<void> {
  const place = await paths.place(path)
  const { ino } = await paths.attributesAt(place)
  if (hidden.isIn(ino)) throw notEmpty()
  await fs.removeDirectory(place.parent, place.name, caller)
  paths.forgetDirectories()
}

async function rename({ fs, paths, handles, hidden, caller }: Context, from: string, to: string): Promise<void> {
  const source = await paths.place(from)
  const { ino, mode } = await paths.attributesAt(source)
  const isDirectory = mode >>> 12 === DIRECTORY_TYPE
  // Only libfuse renames an open file so: it wants the file removed.
  if (hidden.isHiddenName(to) && handles.isOpen(ino)) {
    hidden.hide(to, ino, source.parent)
    await fs.unlink(source.parent, source.name, caller)
    return
  }
  const target = await paths.place(to)
  if (isDirectory) {
    const replaced = await fs.lookup(target.parent, target.name)
    if (replaced !== undefined && hidden.isIn(replaced.ino)) throw notEmpty()
  }
  await fs.rename(source.parent, source.name, target.parent, target.name, RENAME_PLAIN, caller)
  if (isDirectory) paths.forgetDirectories()
}

function notEmpty(): AteError {
  return new AteError('NOT_EMPTY', 'A file that was in the directory is still open.')
}
