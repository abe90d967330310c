/** Changes the bytes of fields by the transformers of a chain, and back by those that an object names. */
import { copyOf } from '../../bytes/copy.js'
import { AteError } from '../../error.js'
import { MAX_TRANSFORM_GROWTH_BYTES, MAX_TRANSFORMER_NAME, MAX_TRANSFORMERS } from '../../limits.js'
import type { Transforms } from '../object-record.js'
import type { Transformer } from './plugin.js'

export interface Transformed {
  readonly data: Uint8Array
  readonly transforms: Transforms | undefined
}

export class TransformerChain {
  readonly #transformers: readonly Transformer[]
  readonly #byId: ReadonlyMap<string, Transformer>

  /** BAD_ARGUMENT for ids that are none, or are there twice. */
  constructor(transformers: readonly Transformer[]) {
    this.#transformers = transformers
    this.#byId = new Map(transformers.map((one) => [one.id, one]))
    const isWrong = transformers.some(
      ({ id }) => id === '' || !/^[\x21-\x7e]*$/.test(id) || id.length > MAX_TRANSFORMER_NAME,
    )
    if (isWrong || this.#byId.size !== transformers.length || transformers.length > MAX_TRANSFORMERS)
      throw new AteError('BAD_ARGUMENT', 'The id of a transformer is none or is there twice, or there are too many.')
  }

  get isEmpty(): boolean {
    return this.#transformers.length === 0
  }

  /** HOOK_FAILED. */
  encode(bytes: Uint8Array): Transformed {
    const ids: string[] = []
    let data = bytes
    for (const { id, encode } of this.#transformers) {
      const encoded = demandBytes(id, () => encode(data), data)
      if (encoded === data) continue
      if (encoded.length > bytes.length + MAX_TRANSFORM_GROWTH_BYTES) throw failed(id, 'adds more than it may')
      // It may use its memory again.
      data = copyOf(encoded)
      ids.push(id)
    }
    return { data, transforms: ids.length === 0 ? undefined : { ids, length: bytes.length } }
  }

  /** What was before them. UNKNOWN_TRANSFORMER, HOOK_FAILED. */
  undo(bytes: Uint8Array, transforms: Transforms | undefined): Uint8Array {
    if (transforms === undefined) return bytes
    const { ids, length } = transforms
    const steps = ids.map((id) => {
      const transformer = this.#byId.get(id)
      if (transformer !== undefined) return transformer
      throw new AteError(
        'UNKNOWN_TRANSFORMER',
        `The object was stored with the transformer ${id}, which is not here.`,
        {
          hint: 'Open the chain with it.',
        },
      )
    })
    let data = bytes
    for (let left = steps.length - 1; left >= 0; left--) {
      const step = steps[left]
      if (step === undefined) break
      const maxBytes = left === 0 ? length : length + MAX_TRANSFORM_GROWTH_BYTES
      const encoded = data
      data = demandBytes(step.id, () => step.decode(encoded, maxBytes))
      if (data.length > maxBytes) throw failed(step.id, 'makes more than it may')
    }
    if (data.length !== length) throw failed(ids[0] ?? '', 'gives another length back')
    return data
  }
}

function demandBytes(id: string, run: () => Uint8Array | undefined, otherwise?: Uint8Array): Uint8Array {
  let bytes: unknown
  try {
    bytes = run() ?? otherwise
  } catch (error) {
    throw failed(id, 'failed', error)
  }
  if (bytes instanceof Uint8Array) return bytes
  throw failed(id, 'gives no bytes')
}

function failed(id: string, why: string, cause?: unknown): AteError {
  return new AteError('HOOK_FAILED', `The transformer ${id} ${why}.`, cause === undefined ? {} : { cause })
}
