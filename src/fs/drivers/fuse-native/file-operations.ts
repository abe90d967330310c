/** Operations on open files, and on contents by path. Handles are ours; the path that comes with them is not looked at. */
import type { FuseOperations } from 'fuse-native'
import type { Context } from './context.js'

/** The kernel clears setuid with a chmod of its own. */
const KEEP_PRIVILEGES = { clearPrivileges: false }
const S_IFREG = 0o100000
const PERMISSION_BITS = 0o7777

type FileOperations = Pick<
  FuseOperations,
  'open' | 'create' | 'release' | 'flush' | 'fsync' | 'fsyncdir' | 'read' | 'write' | 'truncate' | 'ftruncate'
>

export function fileOperations(x: Context): FileOperations {
  const { fs, paths, handles, caller } = x
  return {
    open: (path, _flags, reply) =>
      x.serveValue(reply, async () => {
        await x.refresh()
        return handles.open(await paths.ino(path))
      }),
    create: (path, mode, reply) =>
      x.serveValue(reply, async () => {
        const { parent, name } = await paths.place(path)
        const node = { mode: S_IFREG | (mode & PERMISSION_BITS), rdev: 0, umask: 0 }
        return handles.open((await fs.makeNode(parent, name, node, caller)).ino)
      }),
    release: (_path, handle, reply) => x.serve(reply, async () => handles.close(handle)),
    flush: (_path, _handle, reply) => reply(0),
    fsync: (_path, _dataOnly, _handle, reply) => x.serve(reply, () => fs.sync()),
    fsyncdir: (_path, _dataOnly, _handle, reply) => x.serve(reply, () => fs.sync()),
    read: (_path, handle, target, length, offset, reply) =>
      x.serve(reply, async () => fs.read(handles.ino(handle), offset, length, target, 0)),
    write: (_path, handle, data, length, offset, reply) =>
      x.serve(reply, async () => fs.write(handles.ino(handle), offset, data.subarray(0, length), KEEP_PRIVILEGES)),
    truncate: (path, size, reply) =>
      x.serve(reply, async () => {
        await fs.setAttributes(await paths.ino(path), { size }, caller)
      }),
    ftruncate: (_path, handle, size, reply) =>
      x.serve(reply, async () => {
        await fs.setAttributes(handles.ino(handle), { size }, caller)
      }),
  }
}
