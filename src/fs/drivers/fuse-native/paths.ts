/**
 * From paths, which libfuse 2 gives, to inodes. Directories are remembered by path: all changes of names come through
 * this driver, so forgetting them when a directory moves or goes is enough.
 */
import { AteError } from '../../../engine/error.js'
import { ROOT_INO, type Attributes, type FileSystem, type Ino, type Name } from '../../vfs/types.js'
import type { HiddenFiles } from './hidden-files.js'
import { nameOfText } from './text-names.js'

const MAX_REMEMBERED = 10_000

export interface Place {
  parent: Ino
  name: Name
}

export class Paths {
  readonly #fs: FileSystem
  readonly #hidden: HiddenFiles
  readonly #directories = new Map<string, Ino>()

  constructor(fs: FileSystem, hidden: HiddenFiles) {
    this.#fs = fs
    this.#hidden = hidden
  }

  /** Where the path's last name is, or would be. NO_ENTRY when a directory before it is missing. */
  async place(path: string): Promise<Place> {
    const slash = path.lastIndexOf('/')
    return { parent: await this.#directory(path.slice(0, slash)), name: nameOfText(path.slice(slash + 1)) }
  }

  async ino(path: string): Promise<Ino> {
    if (path === '/') return ROOT_INO
    const hidden = this.#hidden.find(path)
    if (hidden !== undefined) return hidden
    return (await this.attributesAt(await this.place(path))).ino
  }

  async attributesAt({ parent, name }: Place): Promise<Attributes> {
    const found = await this.#fs.lookup(parent, name)
    if (found === undefined) throw new AteError('NO_ENTRY', 'No such file or directory.')
    return found
  }

  /** A directory moved or went. */
  forgetDirectories(): void {
    this.#directories.clear()
  }

  async #directory(path: string): Promise<Ino> {
    if (path === '') return ROOT_INO
    const known = this.#directories.get(path)
    if (known !== undefined) return known
    const { ino } = await this.attributesAt(await this.place(path))
    if (this.#directories.size >= MAX_REMEMBERED) this.#directories.clear()
    this.#directories.set(path, ino)
    return ino
  }
}
