/** Reads an export as its bytes come, believing none of them: memory is bounded by one batch. */
import { copyOf } from '../bytes/copy.js'
import { concatBytes } from '../bytes/concat.js'
import { equalBytes } from '../bytes/equal.js'
import type { ChainKeys } from '../crypto/chain-keys.js'
import type { CryptoProvider } from '../crypto/provider.js'
import { AteError } from '../error.js'
import { BATCH_ITEM_BYTES, decodeBatchItem, gapsIn, ITEM_BATCH } from './batch-item.js'
import {
  decodeEnd,
  decodeExportHeader,
  END_ITEM_BYTES,
  EXPORT_HEADER_BYTES,
  type ExportEnd,
  type ExportHeader,
  isEndAuthentic,
  ITEM_END,
} from './export-format.js'
import type { BatchBytes } from './received-batch.js'
import { missingBytes } from './sparse-groups.js'

const PREFIX_BYTES = 4

export class ExportReader {
  readonly #crypto: CryptoProvider
  readonly #bytes: PieceReader
  #running: Uint8Array = new Uint8Array(0)
  #end: { end: ExportEnd; bytes: Uint8Array } | undefined

  constructor(crypto: CryptoProvider, source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
    this.#crypto = crypto
    this.#bytes = new PieceReader(source)
  }

  /** To be called first. BAD_FORMAT for what is no export, UNSUPPORTED_FORMAT for a newer one, EXPORT_DAMAGED. */
  async header(): Promise<ExportHeader> {
    const fixed = await this.#bytes.take(EXPORT_HEADER_BYTES, 'BAD_FORMAT')
    const { header, keyBytes } = decodeExportHeader(fixed)
    const key = await this.#bytes.take(keyBytes)
    this.#running = this.#crypto.sha256(fixed, key)
    return header.key === undefined ? header : { ...header, key: { ...header.key, bytes: key } }
  }

  /** The batches in their order, as they are stored; content that is missing is zeros. EXPORT_DAMAGED, BATCH_REFUSED. */
  async *batches(): AsyncGenerator<BatchBytes> {
    for (;;) {
      const prefix = await this.#bytes.take(PREFIX_BYTES)
      if (prefix[0] === ITEM_END) {
        await this.#takeEnd(prefix)
        return
      }
      if (prefix[0] !== ITEM_BATCH) throw damaged('holds something that is no batch')
      yield await this.#takeBatch(prefix)
    }
  }

  /** When all batches were read: where the export ends, by the word of the chain's key. EXPORT_DAMAGED. */
  verifiedEnd(keys: ChainKeys): ExportEnd {
    if (this.#end === undefined || !isEndAuthentic(this.#crypto, keys, this.#end.bytes))
      throw damaged('has an end that was not written with the key of the chain')
    return this.#end.end
  }

  /** Stops reading the source. */
  async close(): Promise<void> {
    await this.#bytes.close()
  }

  async #takeBatch(prefix: Uint8Array): Promise<BatchBytes> {
    const rest = await this.#bytes.take(BATCH_ITEM_BYTES - PREFIX_BYTES)
    const item = decodeBatchItem(concatBytes(prefix, rest))
    if (item === undefined) throw damaged('holds a batch of a size that none has')
    const { headBytes, groupBytes, missing } = item
    const indexes = await this.#bytes.take(4 * missing)
    const head = await this.#bytes.take(headBytes)
    const gaps = gapsIn(head, groupBytes, indexes)
    if (gaps === undefined) throw damaged('misses groups that its batch has not')
    const present = await this.#bytes.take(groupBytes - missingBytes(gaps))
    this.#running = this.#crypto.sha256(this.#running, prefix, rest, indexes, head, present)
    return gaps.length === 0 ? { head, groups: present } : { head, groups: present, gaps }
  }

  async #takeEnd(prefix: Uint8Array): Promise<void> {
    const bytes = concatBytes(prefix, await this.#bytes.take(END_ITEM_BYTES - PREFIX_BYTES))
    const { running, ...end } = decodeEnd(bytes)
    if (!equalBytes(running, this.#running)) throw damaged('was changed on its way')
    if (!(await this.#bytes.isAtEnd())) throw damaged('goes on behind its end')
    this.#end = { end, bytes }
  }
}

/** Takes exact lengths from pieces of any length; nothing is made room for before it is there. */
class PieceReader {
  readonly #pieces: AsyncIterator<Uint8Array> | Iterator<Uint8Array>
  #rest: Uint8Array = new Uint8Array(0)

  constructor(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
    this.#pieces = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
  }

  async take(length: number, code: 'EXPORT_DAMAGED' | 'BAD_FORMAT' = 'EXPORT_DAMAGED'): Promise<Uint8Array> {
    const taken: Uint8Array[] = []
    let missing = length
    while (missing > 0) {
      if (this.#rest.length === 0 && !(await this.#next()))
        throw new AteError(code, 'The export is cut off.', { hint: 'Carry it again.' })
      const part = this.#rest.subarray(0, missing)
      taken.push(part)
      this.#rest = this.#rest.subarray(part.length)
      missing -= part.length
    }
    const [only] = taken
    return taken.length === 1 && only !== undefined ? copyOf(only) : concatBytes(...taken)
  }

  async isAtEnd(): Promise<boolean> {
    return this.#rest.length === 0 && !(await this.#next())
  }

  async close(): Promise<void> {
    await this.#pieces.return?.()
  }

  /** False at the end of the source. */
  async #next(): Promise<boolean> {
    for (;;) {
      const result: IteratorResult<unknown, unknown> = await this.#pieces.next()
      if (result.done === true) return false
      const { value } = result
      if (!(value instanceof Uint8Array)) throw new AteError('BAD_ARGUMENT', 'An export consists of pieces of bytes.')
      if (value.length === 0) continue
      this.#rest = value
      return true
    }
  }
}

function damaged(how: string): AteError {
  return new AteError('EXPORT_DAMAGED', `The export ${how}.`, { hint: 'Carry it again.' })
}
