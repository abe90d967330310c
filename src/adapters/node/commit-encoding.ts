/**
 * Commits as messages. Their content lies in a few shared buffers that come again and again: each is sent once and named by
 * a number after that, because a thread accounts the whole of a shared buffer for every message that brings it.
 */
import type { SigningKey } from '../../engine/crypto/signature.js'
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
  readonly #keys = new Map<SigningKey, number>()

  encode({ transaction, isDurable, groups, signers = [] }: CommitRequest): CommitMessage {
    const added: CommitMessage['added'] = []
    const layout: number[] = []
    for (const { kind, number, parts } of groups) {
      layout.push(kind, number, parts.length)
      for (const { buffer, byteOffset, length } of parts) {
        layout.push(this.#idOf(buffer, added), byteOffset, length)
      }
    }
    const dropped = this.#drop()
    const signing = this.#sign(signers)
    return { type: 'commit', transaction, isDurable, added, dropped, layout: Float64Array.from(layout), ...signing }
  }

  /** A program holds few keys: both sides remember them all. */
  #sign(signers: readonly SigningKey[]): Pick<CommitMessage, 'keys' | 'signers'> {
    const keys: CommitMessage['keys'] = []
    const ids = signers.map((key) => {
      const known = this.#keys.get(key)
      if (known !== undefined) return known
      const id = this.#keys.size
      this.#keys.set(key, id)
      keys.push({ id, key })
      return id
    })
    return { keys, signers: ids }
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
  readonly #keys = new Map<number, SigningKey>()

  decode({ transaction, isDurable, added, dropped, layout, keys, signers }: CommitMessage): CommitRequest {
    for (const { id, key } of keys) this.#keys.set(id, key)
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
    return { transaction, isDurable, groups, signers: signers.map((id) => this.#keyOf(id)) }
  }

  #keyOf(id: number): SigningKey {
    const key = this.#keys.get(id)
    if (key === undefined) throw new AteError('BAD_ARGUMENT', 'a commit names a key that was never sent')
    return key
  }
}
