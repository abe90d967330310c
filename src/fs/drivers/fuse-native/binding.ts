/**
 * The only importer of fuse-native, which is optional: a C library and a prebuilt module for few platforms.
 * Some of its methods are replaced. It looks at no caller's buffer when it answers getxattr and listxattr: a value longer
 * than the buffer would send the caller what lies behind it in memory. It aborts the process when a buffer for them is
 * empty. It answers fstat by path. And it knows few options.
 */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { FuseOperations, Signal } from 'fuse-native'
import { preloadLibrary } from '../../../adapters/node/libc/load.js'
import { AteError } from '../../../engine/error.js'
import type { StatWords } from './stat-words.js'

/** A value, or a negative errno. */
export type OrErrno<T> = Promise<T | number>

/** What is served beside the package's own operations. */
export interface ExtendedOperations {
  attributes: (path: string) => OrErrno<StatWords>
  attributesOfHandle: (path: string, handle: number) => OrErrno<StatWords>
  extendedAttribute: (path: string, name: string) => OrErrno<Uint8Array>
  setExtendedAttribute: (path: string, name: string, value: Uint8Array, flags: number) => Promise<number>
  /** Names, each followed by a NUL. */
  extendedAttributeNames: (path: string) => OrErrno<Uint8Array>
}

/** Mounts; resolves when the kernel and the library have agreed. */
export type Mount = (
  mountpoint: string,
  options: readonly string[],
  operations: FuseOperations,
  extended: ExtendedOperations,
) => Promise<void>

const ERANGE = 34
/** The package keeps options in 1,024 bytes. */
const MAX_OPTION_BYTES = 1000

/** Fails with FUSE_UNAVAILABLE when the package is not installed or does not load here. */
export async function loadBinding(): Promise<Mount> {
  try {
    preloadLibfuse()
    const { default: Fuse } = await import('fuse-native')
    return mountWith(Fuse)
  } catch (cause) {
    const why = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause)
    const install = /libfuse/.test(why)
      ? 'install libfuse 2: apt install libfuse2 (Debian, Ubuntu)'
      : 'install the package: npm install fuse-native'
    const hint = `Use --driver direct (on Linux), or ${install}`
    throw new AteError('FUSE_UNAVAILABLE', `the fuse-native package cannot be loaded: ${why}`, { hint, cause })
  }
}

/** The prebuilt module asks for libfuse.so.2, which few systems have; the package brings it, but not where it is looked for. */
function preloadLibfuse(): void {
  const directory = dirname(createRequire(import.meta.url).resolve('fuse-native/package.json'))
  const library = join(directory, 'prebuilds', `${process.platform}-${process.arch}`, 'libfuse.so')
  if (existsSync(library)) preloadLibrary(library)
}

function mountWith(Fuse: typeof import('fuse-native').default): Mount {
  return (mountpoint, options, operations, extended) => {
    const text = `-o${options.join(',')}`
    if (Buffer.byteLength(text) > MAX_OPTION_BYTES) throw new AteError('BAD_OPTION', 'the mount options are too long')

    class AtefsFuse extends Fuse {
      _fuseOptions(): string {
        return text
      }
      _op_getattr(signal: Signal, path: string): void {
        reply(signal, extended.attributes(path))
      }
      _op_fgetattr(signal: Signal, path: string, handle: number): void {
        reply(signal, extended.attributesOfHandle(path, handle))
      }
      _op_getxattr(signal: Signal, path: string, name: string, target: Buffer): void {
        replyInto(target, signal, extended.extendedAttribute(path, name))
      }
      _op_setxattr(signal: Signal, path: string, name: string, value: Buffer, _position: number, flags: number): void {
        const set = extended.setExtendedAttribute(path, name, Uint8Array.from(value), flags)
        void set.then((errno) => signal(errno, detachable(value)))
      }
      _op_listxattr(signal: Signal, path: string, target: Buffer): void {
        replyInto(target, signal, extended.extendedAttributeNames(path))
      }
    }
    const replaced = { getattr: true, fgetattr: true, getxattr: true, setxattr: true, listxattr: true }
    const fuse = new AtefsFuse(mountpoint, { ...operations, ...replaced }, { timeout: false })
    return new Promise((resolve, reject) => fuse.mount((error) => (error === null ? resolve() : reject(error))))
  }
}

function reply(signal: Signal, value: OrErrno<StatWords>): void {
  void value.then((words) => (typeof words === 'number' ? signal(words) : signal(0, words)))
}

/** Copies a value into the caller's buffer; an empty one asks for the length only. */
function replyInto(target: Buffer, signal: Signal, value: OrErrno<Uint8Array>): void {
  void value.then((bytes) => {
    if (typeof bytes === 'number') signal(bytes, detachable(target))
    else if (target.length > 0 && bytes.length > target.length) signal(-ERANGE, detachable(target))
    else {
      if (target.length > 0) target.set(bytes)
      signal(bytes.length, detachable(target))
    }
  })
}

/** The package detaches a buffer's memory when it is answered, and aborts if it cannot. An empty one is detached already. */
function detachable(buffer: Buffer): ArrayBufferLike {
  return buffer.length === 0 ? new ArrayBuffer(1) : buffer.buffer
}
