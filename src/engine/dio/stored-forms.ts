/** How the fields of a transaction are stored: transformed, and sealed where not everybody reads them. */
import { accessKeyOf, type KnownAccessKeys } from './access.js'
import { guard, lookAfter } from './commit-guard.js'
import type { PendingChanges } from './proposal.js'
import type { Rights } from './rights.js'
import type { StoredForm, Tracked } from './tracked.js'

export interface StoredBytes extends StoredForm {
  readonly data: Uint8Array
}

/** Those that are stored in another form than they have. With `rights`, refuses what they do not cover. HOOK_FAILED, NOT_AUTHORIZED. */
export function storedForms(changes: PendingChanges, rights: Rights | undefined): ReadonlyMap<Tracked, StoredBytes> {
  const forms = new Map<Tracked, StoredBytes>()
  const { transformers } = changes.store.hooks
  if (!transformers.isEmpty)
    for (const tracked of changes.changed)
      if (tracked.pending !== undefined) forms.set(tracked, transformers.encode(tracked.pending))
  if (rights !== undefined) protect(changes, rights, forms)
  return forms
}

function protect(changes: PendingChanges, rights: Rights, forms: Map<Tracked, StoredBytes>): void {
  const { store, transaction, keys, changed } = changes
  const guarded = { ...changes, rights, top: store.trust.top }
  guard(guarded)
  const look = lookAfter(guarded)
  const known: KnownAccessKeys = new Map()
  for (const tracked of changed) {
    const name = accessKeyOf(tracked.key, look, known)
    const data = tracked.pending
    if (name === undefined || data === undefined) continue
    const form = forms.get(tracked) ?? { data }
    const sealed = keys.seal(name, transaction.unwatched, tracked.key, form.data)
    forms.set(tracked, { ...form, sealedBy: name, data: sealed })
  }
}
