/** Names that a merge gives, takes, and makes up where there are two of one. */
import type { FileSystemState } from '../state.js'
import type { Ino, Name } from '../types.js'
import { conflictName } from './conflict-name.js'

export class MergedNames {
  readonly #state: FileSystemState
  readonly #label: string
  readonly changed: { readonly parent: Ino; readonly name: Name; readonly gone: undefined }[] = []
  /** How many versions are kept beside others. */
  conflicts = 0

  constructor(state: FileSystemState, label: string) {
    this.#state = state
    this.#label = label
  }

  note(parent: Ino, name: Name): void {
    this.changed.push({ parent, name, gone: undefined })
  }

  /** The name, or where it is taken one that says why there are two. */
  free(parent: Ino, name: Name): Name {
    return this.#state.entries.find(parent, name) === undefined ? name : this.beside(parent, name)
  }

  /** For a version that is kept beside another one. */
  beside(parent: Ino, name: Name): Name {
    this.conflicts++
    for (let count = 1; ; count++) {
      const other = conflictName(name, this.#label, count)
      if (this.#state.entries.find(parent, other) === undefined) return other
    }
  }
}
