/**
 * Commits as messages. Their content lies in a few shared buffers that come again and again: each is sent once and named by
 * a number after that, because a thread accounts the whole of a shared buffer for every message that brings it.
 */
import { AteError } from '../../engine/error.js'
import type { CommitRequest } from '../../engine/chain/committer.js'
import { GROUP_CONTENT, GROUP_RECORDS, type GroupDraft } from '../../engine/log/types.js'
import type { CommitMessage } from './commit-messages.js'

/** Buffers both sides remember: all of the pool's and those of some commits under way. */
const KNOWN_BUFFERS = 128

export class CommitEncoder {
  /** In the order they were sent. */
  readonly #known = new Map<ArrayBufferLike, number>()
  #nextId = 0

  encode({ transaction, isDurable, groups }: CommitRequest): CommitMessage {
    const added: CommitMessage['added'] = []
    const layout: number[] = []
    for (const { kind, number, parts } of groups) {
      layout.push(kind, number, parts.length)
      for (const { buffer, byteOffset, length } of parts) {
        layout.push(this.#idOf(buffer, added), byteOffset, length)
      }
    }
    return { type: 'commit', transaction, isDurable, added, dropped: this.#drop(), layout: Float64Array.from(layout) }
  }

  #idOf(buffer: ArrayBufferLike, added: CommitMessage['added']): number {
    let id = this.#known.get(buffer)
    if (id === undefined) {
      id = this.#nextId++
      this.#known.set(buffer, id)
      added.push({ id, buffer })
    }
    return id
  }

  #drop(): number[] {
    const dropped: number[] = []
    for (const [buffer, id] of this.#known) {
      if (this.#known.size <= KNOWN_BUFFERS) break
      this.#known.delete(buffer)
      dropped.push(id)
    }
    return dropped
  }
}

export class CommitDecoder {
  readonly #known = new Map<number, ArrayBufferLike>()

  decode({ transaction, isDurable, added, dropped, layout }: CommitMessage): CommitRequest {
    for (const { id, buffer } of added) this.#known.set(id, buffer)
    const groups: GroupDraft[] = []
    let at = 0
    const next = (): number => layout[at++] ?? 0
    while (at < layout.length) {
      const kind = next() === GROUP_CONTENT ? GROUP_CONTENT : GROUP_RECORDS
      const number = next()
      const parts: Uint8Array[] = []
      for (let count = next(); count > 0; count--) {
        const buffer = this.#known.get(next())
        const offset = next()
        const length = next()
        if (buffer === undefined) throw new AteError('BAD_ARGUMENT', 'a commit names a buffer that was never sent')
        parts.push(new Uint8Array(buffer, offset, length))
      }
      groups.push({ kind, number, parts })
    }
    for (const id of dropped) this.#known.delete(id)
    return { transaction, isDurable, groups }
  }
}
