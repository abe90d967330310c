/** Operations on attributes, extended attributes and the file system as a whole. */
import type { FuseOperations, FuseStatFs } from 'fuse-native'
import { AteError } from '../../../engine/error.js'
import type { AttributeChange, FileSystem, Ino, TimeChange } from '../../vfs/types.js'
import type { ExtendedOperations, OrErrno } from './binding.js'
import type { Context } from './context.js'
import { statWords, type StatWords } from './stat-words.js'
import { bytesOfText, textOfBytes } from './text-names.js'

/** chown(2): leave as it is. */
const UNCHANGED_ID = 0xffffffff
const ACCESS_LIST = /^system\.posix_acl_/
const MAX_WORD = 2 ** 32 - 1

type AttributeOperations = Pick<FuseOperations, 'chmod' | 'chown' | 'utimens' | 'statfs' | 'removexattr'>

export function attributeOperations(x: Context): AttributeOperations {
  const { fs, paths, caller } = x
  const change = async (path: string, wanted: AttributeChange): Promise<void> => {
    await fs.setAttributes(await paths.ino(path), wanted, caller)
  }
  return {
    chmod: (path, mode, reply) => x.serve(reply, () => change(path, { mode })),
    chown: (path, uid, gid, reply) => {
      const wanted: AttributeChange = {}
      if (uid !== UNCHANGED_ID) wanted.uid = uid
      if (gid !== UNCHANGED_ID) wanted.gid = gid
      x.serve(reply, () => change(path, wanted))
    },
    // The package gives the access time twice: what `touch` means is right, what `tar` means is lost.
    utimens: (path, atimeMs, _same, reply) => {
      x.serve(reply, () => change(path, { atime: timeOf(atimeMs), mtime: timeOf(atimeMs) }))
    },
    statfs: (_path, reply) => reply(0, statistics(fs)),
    removexattr: (path, name, reply) =>
      x.serve(reply, async () => fs.removeExtendedAttribute(await paths.ino(path), bytesOfText(name), caller)),
  }
}

export function extendedOperations(x: Context): ExtendedOperations {
  const { fs, paths, handles, hidden } = x
  const orErrno = <T>(work: () => Promise<T>): OrErrno<T> => work().catch((error: unknown) => x.negativeErrno(error))
  const attributesOf = async (path: string, ino: Ino): Promise<StatWords> => {
    const attributes = await fs.getAttributes(ino)
    // libfuse takes one off for the hidden name, which is not there.
    const correction = attributes.nlink > 0 && hidden.find(path) !== undefined ? 1 : 0
    return statWords(attributes, attributes.nlink + correction)
  }
  const extendedAttribute = async (path: string, name: string): Promise<Uint8Array> => {
    const value = await fs.getExtendedAttribute(await paths.ino(path), bytesOfText(name))
    if (value === undefined) throw new AteError('NO_ATTRIBUTE', 'No such attribute.')
    return value
  }
  const set = async (path: string, name: string, value: Uint8Array, flags: number): Promise<number> => {
    // The kernel would not look at the list, and whom it is to keep out would come in.
    if (ACCESS_LIST.test(name)) throw new AteError('NOT_SUPPORTED', 'Access control lists need the direct driver.')
    await fs.setExtendedAttribute(await paths.ino(path), bytesOfText(name), value, flags, x.caller, false)
    return 0
  }
  const names = async (path: string): Promise<Uint8Array> => {
    const bytes = await fs.listExtendedAttributes(await paths.ino(path))
    return Buffer.from(textOfBytes(Buffer.from(bytes).toString('latin1')))
  }
  return {
    // It is asked for a name that is looked up as well.
    attributes: (path) =>
      orErrno(async () => {
        if (path !== '/') await x.refresh()
        return attributesOf(path, await paths.ino(path))
      }),
    attributesOfHandle: (path, handle) => orErrno(() => attributesOf(path, handles.ino(handle))),
    extendedAttribute: (path, name) => orErrno(() => extendedAttribute(path, name)),
    setExtendedAttribute: (path, name, value, flags) => orErrno(() => set(path, name, value, flags)),
    extendedAttributeNames: (path) => orErrno(() => names(path)),
  }
}

/** Whole milliseconds; what was before 1970 arrives as a number beyond all times. */
function timeOf(milliseconds: number): TimeChange {
  if (milliseconds > Number.MAX_SAFE_INTEGER) return { sec: 0, nsec: 0 }
  const sec = Math.floor(milliseconds / 1000)
  return { sec, nsec: (milliseconds - sec * 1000) * 1_000_000 }
}

/** All numbers have 32 bits. */
function statistics(fs: FileSystem): FuseStatFs {
  const { blockBytes, blocks, freeBlocks, availableBlocks, files, freeFiles, maxNameBytes } = fs.statistics()
  const word = (value: number): number => Math.min(value, MAX_WORD)
  return {
    bsize: blockBytes,
    frsize: blockBytes,
    blocks: word(blocks),
    bfree: word(freeBlocks),
    bavail: word(availableBlocks),
    files: word(files),
    ffree: word(freeFiles),
    favail: word(freeFiles),
    namemax: maxNameBytes,
  }
}
