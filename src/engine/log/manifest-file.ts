/** The manifest on its storage: read and verified once, replaced as a whole. The caller serializes replacements. */
import { equalBytes } from '../bytes/equal.js'
import type { ChainKeys } from '../crypto/chain-keys.js'
import type { CryptoProvider } from '../crypto/provider.js'
import { AteError } from '../error.js'
import { MAX_MANIFEST_BYTES } from '../limits.js'
import { CURRENT_FORMAT, FEATURE_DROPS, FEATURE_FORGETS, FEATURE_PROOFS, FORMAT_FOUND } from './format/feature-flags.js'
import {
  decodeManifest,
  encodeManifest,
  type Forgotten,
  isManifestAuthentic,
  type Manifest,
  type SegmentEntry,
} from './format/manifest-format.js'
import { MANIFEST_NAME } from './format/segment-name.js'
import type { LogStorage } from './storage.js'
import type { ChainTrust } from './types.js'

export class ManifestFile {
  readonly #storage: LogStorage
  readonly #crypto: CryptoProvider
  readonly #keys: ChainKeys
  #current: Manifest

  private constructor(storage: LogStorage, crypto: CryptoProvider, keys: ChainKeys, current: Manifest) {
    this.#storage = storage
    this.#crypto = crypto
    this.#keys = keys
    this.#current = current
  }

  get current(): Manifest {
    return this.#current
  }

  /** CHAIN_EXISTS when the storage holds a manifest. */
  static async create(
    storage: LogStorage,
    crypto: CryptoProvider,
    keys: ChainKeys,
    createdMs: number,
    trust: ChainTrust,
  ): Promise<void> {
    if ((await storage.readSmall(MANIFEST_NAME, MAX_MANIFEST_BYTES)) !== undefined) {
      throw new AteError('CHAIN_EXISTS', 'There is a chain here already.')
    }
    const { chainId, suite } = keys
    const format = trust === 'distributed' ? { ...CURRENT_FORMAT, incompat: FEATURE_PROOFS } : CURRENT_FORMAT
    const manifest: Manifest = { format, chainId, suite, createdMs, generation: 1, segments: [] }
    await storage.replaceSmall(MANIFEST_NAME, encodeManifest(crypto, keys.manifestKey, manifest))
  }

  /** NOT_A_CHAIN, BAD_FORMAT (damaged or not made with these keys) or UNSUPPORTED_FORMAT. */
  static async load(storage: LogStorage, crypto: CryptoProvider, keys: ChainKeys): Promise<ManifestFile> {
    const bytes = await storage.readSmall(MANIFEST_NAME, MAX_MANIFEST_BYTES)
    if (bytes === undefined) throw new AteError('NOT_A_CHAIN', 'There is no manifest here.')
    const manifest = decodeManifest(crypto, bytes)
    const isOurs = equalBytes(manifest.chainId, keys.chainId) && manifest.suite === keys.suite
    if (!isOurs || !isManifestAuthentic(crypto, keys.manifestKey, bytes)) {
      throw new AteError('BAD_FORMAT', 'The manifest does not verify.')
    }
    return new ManifestFile(storage, crypto, keys, manifest)
  }

  /** In place of one that is damaged, for reading: nothing is known but the segments, and what batches say is forgotten. */
  static inPlace(
    storage: LogStorage,
    crypto: CryptoProvider,
    keys: ChainKeys,
    segments: readonly SegmentEntry[],
    forgotten: Forgotten | undefined,
  ): ManifestFile {
    const { chainId, suite } = keys
    const manifest: Manifest = {
      format: FORMAT_FOUND,
      chainId,
      suite,
      createdMs: 0,
      generation: 0,
      forgotten,
      segments,
    }
    return new ManifestFile(storage, crypto, keys, manifest)
  }

  /** Durable when it resolves; nothing has changed when it throws. */
  async replaceSegments(segments: readonly SegmentEntry[]): Promise<void> {
    await this.#replace({ ...this.#current, segments })
  }

  /** From now on programs that know no drops refuse the chain. As `replaceSegments`. */
  async allowDrops(): Promise<void> {
    const { format } = this.#current
    if ((format.incompat & FEATURE_DROPS) !== 0) return
    await this.#replace({ ...this.#current, format: { ...format, incompat: format.incompat | FEATURE_DROPS } })
  }

  /** Records up to that batch may be gone when it resolves; programs that know of no forgetting refuse the chain. As `replaceSegments`. */
  async setForgotten(forgotten: Forgotten): Promise<void> {
    const { format } = this.#current
    await this.#replace({
      ...this.#current,
      format: { ...format, incompat: format.incompat | FEATURE_FORGETS },
      forgotten,
    })
  }

  async #replace(changed: Manifest): Promise<void> {
    const next: Manifest = { ...changed, generation: this.#current.generation + 1 }
    await this.#storage.replaceSmall(MANIFEST_NAME, encodeManifest(this.#crypto, this.#keys.manifestKey, next))
    this.#current = next
  }
}
