/**
 * Frees the space of what a replayed batch drops: whoever wrote the drop may not have come to it. Before the batch is taken
 * in, for then nobody knows any more where the bodies lay.
 */
import type { ChainKeys } from '../../crypto/chain-keys.js'
import type { CryptoProvider } from '../../crypto/provider.js'
import { errorCode } from '../../error.js'
import { IndexReader } from '../../index/index-reader.js'
import { LeafSeal } from '../../index/leaf-seal.js'
import type { OrderedStore } from '../../index/ordered-store.js'
import { FEATURE_DROPS } from '../../log/format/feature-flags.js'
import { ManifestFile } from '../../log/manifest-file.js'
import type { LogStorage } from '../../log/storage.js'
import type { ReplayedBatch } from '../../log/types.js'
import { BODY_PLACE_KIND, type BodyPlace, bodyPlaceHigh, decodeBodyPlace } from '../body-place.js'
import type { Memtable } from '../memtable.js'
import { SpaceFreer } from './space-freer.js'

export interface DroppedPlacesOptions {
  storage: LogStorage
  store: OrderedStore
  crypto: CryptoProvider
  keys: ChainKeys
  readOnly: boolean
  /** As for `ChainWriter`: what is dropped is not known to be part of the chain, and its space goes later. */
  isServed?: boolean | undefined
  onNotice?: ((message: string) => void) | undefined
}

export class DroppedPlaces {
  readonly #options: DroppedPlacesOptions

  constructor(options: DroppedPlacesOptions) {
    this.#options = options
  }

  /** `memtable`: what was replayed and the index has not taken in. */
  async free(batch: Pick<ReplayedBatch, 'dropped' | 'segment'>, memtable: Memtable): Promise<void> {
    const { storage, readOnly, isServed = false, onNotice } = this.#options
    if (readOnly || isServed || batch.dropped.length === 0) return
    // What the batch's own segment holds was never closed when it was dropped.
    const places = this.#placesOf(batch, memtable).filter(({ segment }) => segment < batch.segment)
    try {
      if (await this.#mustKeep()) return
      await new SpaceFreer(storage).free(places)
    } catch (error) {
      onNotice?.(`Space of the log could not be given back (${errorCode(error) ?? 'unexpected'}).`)
    }
  }

  /** Before anything may be missing the manifest says so. Where it does not, the drop is of no compaction, and bytes that are gone would be damage. */
  async #mustKeep(): Promise<boolean> {
    const { storage, crypto, keys } = this.#options
    const { current } = await ManifestFile.load(storage, crypto, keys)
    return (current.format.incompat & FEATURE_DROPS) === 0
  }

  #placesOf({ dropped }: Pick<ReplayedBatch, 'dropped'>, memtable: Memtable): BodyPlace[] {
    const { store, crypto, keys } = this.#options
    const index = new IndexReader(store, new LeafSeal(crypto, keys))
    const places: BodyPlace[] = []
    for (const { from, to } of dropped) {
      for (let body = from; body <= to; body++) {
        const high = bodyPlaceHigh(body)
        const node = memtable.overlay.bucket(BODY_PLACE_KIND, high)?.nodes.get(body)
        const record = node === undefined ? index.get(BODY_PLACE_KIND, high, body) : (node.value ?? undefined)
        if (record !== undefined) places.push(decodeBodyPlace(body, record))
      }
    }
    return places
  }
}
