/** What a transaction is about to commit, as hooks see it. */
import { copyOf } from '../bytes/copy.js'
import { equalBytes } from '../bytes/equal.js'
import type { RecordReader } from '../transaction/record-reader.js'
import type { RecordTransaction } from '../transaction/record-transaction.js'
import type { AteSession } from '../trust/session.js'
import type { AccessKeys } from './access.js'
import { changeOf, type Version } from './hooks/change.js'
import { judgeNow } from './hooks/judge.js'
import { type ProposedChange, ProposedCommit, type Who } from './hooks/proposed-commit.js'
import { OBJECT_KIND } from './kinds.js'
import { dataAtOnce } from './object-data.js'
import type { KeyParts } from './object-key.js'
import { decodeObject, type ObjectRecord } from './object-record.js'
import type { ObjectStore } from './object-store.js'
import type { Tracked } from './tracked.js'

export interface PendingChanges {
  readonly store: ObjectStore
  readonly transaction: RecordTransaction
  /** The chain as it is now. */
  readonly latest: RecordReader
  /** Objects that are about to be put: their `pending` is their fields. */
  readonly changed: readonly Tracked[]
  readonly tracked: (key: KeyParts) => Tracked | undefined
  readonly session: AteSession
  readonly keys: AccessKeys
  /** Those that have been linted, with the bytes they had: linters need not say the same twice. */
  readonly linted: Map<Tracked, Uint8Array>
}

/**
 * Linters and validators, of what is committed now. What validators have agreed to need not be judged again. REFUSED,
 * HOOK_FAILED, CONFLICT.
 */
export function askHooks(changes: PendingChanges, judged: ProposedCommit | undefined): void {
  lintChanges(changes)
  const { validators } = changes.store.hooks
  if (validators.length === 0) return
  const commit = proposedCommit(changes)
  if (judged?.isSame(commit) !== true) judgeNow(validators, commit)
}

const NOTHING = new Uint8Array(0)

/** HOOK_FAILED. */
function lintChanges(changes: PendingChanges): void {
  const { hooks } = changes.store
  if (!hooks.hasLinters) return
  const who = whoIs(changes.session)
  for (const tracked of changes.changed) {
    const { pending } = tracked
    if (pending === undefined || equalBytes(changes.linted.get(tracked) ?? NOTHING, pending)) continue
    const before = versionBefore(changes, tracked)
    const given = tracked.base?.record.labels ?? new Map<string, string>()
    const data = copyOf(pending)
    const after = versionAfter(tracked, data)
    tracked.labels = hooks.lint(given, (labels) => changeOf(tracked.key, before, { ...after, labels }), who)
    changes.linted.set(tracked, data)
  }
}

/** What validators are to judge, with its labels. HOOK_FAILED of a linter. */
export function proposed(changes: PendingChanges): ProposedCommit {
  lintChanges(changes)
  return proposedCommit(changes)
}

function proposedCommit(changes: PendingChanges): ProposedCommit {
  const proposed: ProposedChange[] = []
  for (const tracked of changes.changed) {
    // A copy: hooks may look at it when the memory is another transaction's.
    const data = tracked.pending === undefined ? NOTHING : copyOf(tracked.pending)
    proposed.push({ key: tracked.key, before: versionBefore(changes, tracked), after: versionAfter(tracked, data) })
  }
  for (const { kind, high, low, value } of changes.transaction.changes) {
    const key = { high, low }
    if (kind !== OBJECT_KIND || changes.tracked(key) !== undefined) continue
    const before = versionIn(changes, key, changes.latest.get(kind, high, low))
    const after = versionIn(changes, key, value ?? undefined)
    if (before !== undefined || after !== undefined) proposed.push({ key, before, after })
  }
  return new ProposedCommit(whoIs(changes.session), proposed)
}

function whoIs({ identity, claims }: AteSession): Who {
  return { identity, claims: Object.freeze({ ...claims }) }
}

function versionAfter({ type, parent, labels }: Tracked, data: Uint8Array): Version {
  return { type: type.name, parent: parent?.key, labels, updatedAt: undefined, data: () => data }
}

/** What the transaction has loaded need not be read again. */
function versionBefore(changes: PendingChanges, { key, base }: Tracked): Version | undefined {
  const { high, low } = key
  const before = versionIn(changes, key, changes.latest.get(OBJECT_KIND, high, low))
  if (before === undefined || base === undefined || base.record.updatedAt !== before.updatedAt) return before
  return { ...before, data: () => base.data }
}

function versionIn(changes: PendingChanges, key: KeyParts, bytes: Uint8Array | undefined): Version | undefined {
  const record = bytes === undefined ? undefined : decodeObject(bytes)
  if (record === undefined) return undefined
  const { type, parent, labels, updatedAt } = record
  return { type, parent: parent?.key, labels, updatedAt, data: () => dataOf(changes, key, record) }
}

function dataOf({ store, keys, latest }: PendingChanges, key: KeyParts, record: ObjectRecord): Uint8Array {
  const stored = dataAtOnce(store.dataOf(record))
  return store.undoTransforms(
    record,
    record.sealedBy === undefined ? stored : keys.open(record.sealedBy, latest, key, stored),
  )
}
