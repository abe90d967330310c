/** Judges the changes of a transaction before any of them is made: those of objects that are not put yet among them. */
import type { RecordTransaction } from '../transaction/record-transaction.js'
import type { RecordReader } from '../transaction/record-reader.js'
import type { WriteRule } from '../trust/rules.js'
import type { Look, Placed } from './access.js'
import { judgeObjects } from './judging/judge-objects.js'
import { OBJECT_KIND } from './kinds.js'
import { formatKey, type KeyParts } from './object-key.js'
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

/** See `judgeObjects`. Protected objects that are deleted leave a tombstone. */
export function guard(changes: GuardedChanges): void {
  const { transaction, latest, rights, top } = changes
  const mourned = judgeObjects({
    keys: changedObjects(changes),
    before: (key) => placedIn(undefined, latest, key),
    after: lookAfter(changes),
    isDead: ({ high, low }) => {
      const bytes = latest.get(OBJECT_KIND, high, low)
      return bytes !== undefined && isTombstone(bytes)
    },
    rights,
    top,
  })
  for (const { high, low } of mourned) transaction.put(OBJECT_KIND, high, low, TOMBSTONE)
}

function changedObjects({ transaction, changed }: GuardedChanges): KeyParts[] {
  const keys = new Map<string, KeyParts>()
  for (const { text, key } of changed) keys.set(text, key)
  for (const { kind, high, low } of transaction.changes)
    if (kind === OBJECT_KIND) keys.set(formatKey({ high, low }), { high, low })
  return [...keys.values()]
}
