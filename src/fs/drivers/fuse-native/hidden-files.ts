/**
 * Files that are removed while they are open. libfuse renames such a file to .fuse_hiddenXXXXXXXXYYYYYYYY beside it and
 * removes that at the last close. Here the file really loses its name, and the hidden name exists for libfuse alone:
 * nobody lists it, and a crash leaves none behind.
 */
import type { FileSystem, Ino } from '../../vfs/types.js'

const HIDDEN_NAME = /^\.fuse_hidden[0-9a-f]{16}$/

interface HiddenFile {
  ino: Ino
  directory: Ino
}

export class HiddenFiles {
  readonly #fs: FileSystem
  /** By name alone: it is unique in a mount, and the directory may be renamed meanwhile. */
  readonly #files = new Map<string, HiddenFile>()

  constructor(fs: FileSystem) {
    this.#fs = fs
  }

  isHiddenName(path: string): boolean {
    return HIDDEN_NAME.test(lastName(path))
  }

  find(path: string): Ino | undefined {
    return this.#files.get(lastName(path))?.ino
  }

  /** Before its name is removed: keeps the file alive. */
  hide(path: string, ino: Ino, directory: Ino): void {
    this.#fs.retain(ino)
    this.#files.set(lastName(path), { ino, directory })
  }

  /** The last close. True when there was such a file. */
  remove(path: string): boolean {
    const name = lastName(path)
    const file = this.#files.get(name)
    if (file === undefined) return false
    this.#files.delete(name)
    this.#fs.release(file.ino, 1)
    return true
  }

  /** libfuse cannot name an open file whose directory is gone, so such a directory must stay. */
  isIn(directory: Ino): boolean {
    for (const file of this.#files.values()) if (file.directory === directory) return true
    return false
  }
}

function lastName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
