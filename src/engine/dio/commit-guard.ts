/**
 * Judges the changes of a transaction before any of them is made: each object by where it was and by where it comes to
 * lie, with the rights of who makes them. One that may not be made refuses them all.
 */
import { AteError } from '../error.js'
import type { RecordTransaction } from '../transaction/record-transaction.js'
import type { RecordReader } from '../transaction/record-reader.js'
import type { WriteRule } from '../trust/rules.js'
import { demandWrite, type Look, type Placed, writeRuleOf } from './access.js'
import { OBJECT_KIND } from './kinds.js'
import { formatKey, isSameKey, type KeyParts } from './object-key.js'
import { decodeObject, isTombstone, TOMBSTONE } from './object-record.js'
import type { Rights } from './rights.js'
import type { Tracked } from './tracked.js'

export interface GuardedChanges {
  readonly transaction: RecordTransaction
  /** The chain as it is now, all commits of others included. */
  readonly latest: RecordReader
  /** Objects that are about to be put; what they are now is not among the changes yet. */
  readonly changed: Iterable<Tracked>
  readonly tracked: (key: KeyParts) => Tracked | undefined
  readonly rights: Rights
  /** Who may change what has no rule. */
  readonly top: WriteRule
}

/** How objects will lie when the changes are made. */
export function lookAfter({ transaction, latest, tracked }: Omit<GuardedChanges, 'rights'>): Look {
  return (key) => tracked(key) ?? placedIn(transaction.staged(OBJECT_KIND, key.high, key.low), latest, key)
}

function placedIn(
  staged: { value: Uint8Array | null } | undefined,
  latest: RecordReader,
  key: KeyParts,
): Placed | undefined {
  const bytes = staged === undefined ? latest.get(OBJECT_KIND, key.high, key.low) : (staged.value ?? undefined)
  return bytes === undefined ? undefined : decodeObject(bytes)
}

/** NOT_AUTHORIZED, ALREADY_DELETED. Protected objects that are deleted leave a tombstone. */
export function guard(changes: GuardedChanges): void {
  const { transaction, latest, rights, top } = changes
  const before: Look = (key) => placedIn(undefined, latest, key)
  const after = lookAfter(changes)
  for (const key of changedObjects(changes)) {
    const bytes = latest.get(OBJECT_KIND, key.high, key.low)
    if (bytes !== undefined && isTombstone(bytes))
      throw new AteError('ALREADY_DELETED', `The object ${formatKey(key)} was deleted, and stays so.`)
    const was = bytes === undefined ? undefined : decodeObject(bytes)
    const rule = was === undefined ? undefined : writeRuleOf(key, before, top)
    if (rule !== undefined) demandWrite(rights, rule, key)
    const becomes = after(key)
    if (becomes !== undefined && (was === undefined || !isSamePlace(was, becomes))) {
      const parent = becomes.parent?.key
      // A parent is judged as it was: what comes with the same commit cannot make room for itself.
      const look = parent !== undefined && before(parent) !== undefined ? before : after
      demandWrite(rights, writeRuleOf(parent, look, top), parent ?? key)
    }
    if (becomes === undefined && rule !== undefined && rule.kind !== 'everyone')
      transaction.put(OBJECT_KIND, key.high, key.low, TOMBSTONE)
  }
}

function isSamePlace({ parent: a }: Placed, { parent: b }: Placed): boolean {
  if (a === undefined || b === undefined) return a === b
  return isSameKey(a.key, b.key) && a.collection === b.collection
}

function changedObjects({ transaction, changed }: GuardedChanges): KeyParts[] {
  const keys = new Map<string, KeyParts>()
  for (const { text, key } of changed) keys.set(text, key)
  for (const { kind, high, low } of transaction.changes)
    if (kind === OBJECT_KIND) keys.set(formatKey({ high, low }), { high, low })
  return [...keys.values()]
}
