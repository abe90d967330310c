/** What a chain says of trust as a whole: who may change what has no rule, and whether there are rules at all. */
import { AteError } from '../error.js'
import type { KeyId } from '../trust/keys.js'
import type { WriteRule } from '../trust/rules.js'
import type { RecordReader } from '../transaction/record-reader.js'
import { TRUST_KIND } from './kinds.js'
import { decodeRootKeys } from './rule-record.js'

export const ROOT_KEYS_PLACE = 0
export const RULES_PLACE = 1

export class TrustState {
  #rootKeys: readonly KeyId[] = []
  /** Without rules nothing needs to be looked at. */
  hasRules = false

  constructor(reader: RecordReader) {
    this.reload(reader)
  }

  /** As the chain has it now. */
  reload(reader: RecordReader): void {
    const roots = reader.get(TRUST_KIND, 0, ROOT_KEYS_PLACE)
    this.#rootKeys = roots === undefined ? [] : decodeRootKeys(roots)
    this.hasRules = this.rootKeys.length > 0 || reader.get(TRUST_KIND, 0, RULES_PLACE) !== undefined
  }

  /** None: everyone may do what a root key may. */
  get rootKeys(): readonly KeyId[] {
    return this.#rootKeys
  }

  setRootKeys(keys: readonly KeyId[]): void {
    this.#rootKeys = [...keys]
    this.hasRules = this.hasRules || keys.length > 0
  }

  /** Who may change what has no rule of its own, nor anything above it. */
  get top(): WriteRule {
    return this.rootKeys.length === 0 ? { kind: 'everyone' } : { kind: 'any', keys: this.rootKeys }
  }

  /** NOT_AUTHORIZED when the chain has other root keys than are asked for. */
  demandRootKeys(keys: readonly KeyId[]): void {
    const isSame = keys.length === this.rootKeys.length && keys.every((key) => this.rootKeys.includes(key))
    if (!isSame) throw new AteError('NOT_AUTHORIZED', 'The chain has other root keys than were given.')
  }
}
