/**
 * The C library, for the few calls that Node does not offer. The only importer of koffi, which needs no compiler: it
 * comes prebuilt for every platform of ours.
 */
import koffi, { type LibraryHandle } from 'koffi'
import { AteError } from '../../../engine/error.js'

let library: LibraryHandle | undefined

type LibcFunction = ReturnType<LibraryHandle['func']>

/** The C function of `prototype` (koffi's C-like syntax), to be given its type by the caller. Pointers take a Uint8Array. */
export function libcFunction(prototype: string): LibcFunction {
  try {
    // null: the process itself, which has the C library loaded whatever its name is here (glibc, musl).
    library ??= koffi.load(null)
    return library.func(prototype)
  } catch (cause) {
    throw new AteError('NOT_SUPPORTED', `a function of the C library cannot be called: ${prototype}`, { cause })
  }
}

/** errno of the last call made through `libcFunction`. */
export function lastErrno(): number {
  return koffi.errno()
}

/** Memory for structures that hold pointers: its address in `address`, never moved, never freed. */
export function nativeMemory(length: number): { bytes: Buffer; address: bigint } {
  const pointer: unknown = koffi.alloc('uint8_t', length)
  const bytes = Buffer.from(koffi.view(pointer, length))
  return { bytes, address: koffi.address(pointer) }
}

/** Memory that begins at a multiple of `alignment`, never moved, never freed. */
export function alignedMemory(length: number, alignment: number): Uint8Array {
  const { bytes, address } = nativeMemory(length + alignment)
  const skipped = (alignment - Number(address % BigInt(alignment))) % alignment
  return bytes.subarray(skipped, skipped + length)
}

/** Loads a library for all that are loaded later and need one of its name. It stays for the life of the process. */
export function preloadLibrary(path: string): void {
  koffi.load(path, { global: true })
}

export interface ReadableWatch {
  close: () => void
}

/** Calls `onReadable` from the event loop whenever `fd` is readable (or broken): no thread of the pool waits for it. */
export function watchReadable(fd: number, onReadable: () => void): ReadableWatch {
  const handle = koffi.node.poll(fd, { readable: true, disconnect: true }, onReadable)
  return { close: () => handle.close() }
}
