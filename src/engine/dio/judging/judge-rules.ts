/** What a received batch does to what rules stand on: the root keys, and the access keys of read rules. */
import { AteError } from '../../error.js'
import { ACCESS_KEY_KIND, KEY_BLOCK_KIND, ROOT_KIND, TRUST_KIND } from '../kinds.js'
import { formatKey } from '../object-key.js'
import type { ObjectRecord } from '../object-record.js'
import { decodeAccessKey, decodeRootKeys } from '../rule-record.js'
import { ROOT_KEYS_PLACE, RULES_PLACE } from '../trust-state.js'
import { bad, type ReceivedBatch } from './received-batch.js'

/** NOT_AUTHORIZED, BAD_FORMAT. */
export function judgeRules(batch: ReceivedBatch): void {
  judgeTrust(batch)
  const changes = batch.changedObjects().map((key) => ({
    key,
    was: batch.objectBefore(key),
    becomes: batch.objectAfter(key),
  }))
  const isMarked =
    batch.after.get(TRUST_KIND, 0, RULES_PLACE) !== undefined ||
    batch.after.get(TRUST_KIND, 0, ROOT_KEYS_PLACE) !== undefined
  /** Those of objects that the batch changes. */
  const rings = new Set<number>()
  for (const { key, was, becomes } of changes) {
    const had = ringOf(was)
    if (had !== undefined) rings.add(had.ring)
    if (becomes?.rules === undefined) continue
    if (!isMarked) throw bad('sets a rule and does not say that the chain has rules')
    const read = becomes.rules.read
    if (read.kind !== 'ring') continue
    if (had?.ring !== read.ring && hasRing(batch, read.ring))
      throw new AteError('NOT_AUTHORIZED', `The object ${formatKey(key)} takes the access keys of another one.`)
    if (batch.after.get(ACCESS_KEY_KIND, read.ring, read.epoch) === undefined)
      throw bad(`gives ${formatKey(key)} an access key that is not there`)
    if (read.epoch < (had?.epoch ?? 0)) throw bad(`gives ${formatKey(key)} an access key of an earlier epoch`)
  }
  judgeAccessKeys(batch, rings)
}

/** Root keys are pinned before there is anything else, and stay. */
function judgeTrust(batch: ReceivedBatch): void {
  for (const { high, low, value } of batch.changes(TRUST_KIND)) {
    const before = batch.before.get(TRUST_KIND, high, low)
    if (high !== 0 || value === null || (low !== ROOT_KEYS_PLACE && low !== RULES_PLACE))
      throw new AteError('NOT_AUTHORIZED', 'The batch takes away what rules stand on.')
    if (low === RULES_PLACE) continue
    decodeRootKeys(value)
    if (before === undefined && isEmpty(batch)) continue
    throw new AteError('NOT_AUTHORIZED', 'The batch changes the root keys of the chain.')
  }
}

function isEmpty({ before }: ReceivedBatch): boolean {
  const hasAny = (kind: number): boolean => before.range(kind, 0, 0, Number.MAX_SAFE_INTEGER, 1).length > 0
  return !hasAny(KEY_BLOCK_KIND) && !hasAny(ROOT_KIND) && !hasAny(TRUST_KIND)
}

function ringOf(object: ObjectRecord | undefined): { ring: number; epoch: number } | undefined {
  const read = object?.rules?.read
  return read?.kind === 'ring' ? read : undefined
}

function hasRing({ before }: ReceivedBatch, ring: number): boolean {
  return before.range(ACCESS_KEY_KIND, ring, 0, Number.MAX_SAFE_INTEGER, 1).length > 0
}

/** A ring that is there belongs to an object: only with a change of that one. */
function judgeAccessKeys(batch: ReceivedBatch, rings: ReadonlySet<number>): void {
  for (const { high, low, value } of batch.changes(ACCESS_KEY_KIND)) {
    if (value === null || (!rings.has(high) && hasRing(batch, high)))
      throw new AteError('NOT_AUTHORIZED', 'The batch changes access keys of an object that it does not change.')
    if (low < 1) throw bad('holds an access key of an impossible epoch')
    decodeAccessKey(value)
  }
}
