/**
 * Whether changes of objects may be made: each object by where it was and by where it comes to lie, with the rights of who
 * makes them. Commits of this process are judged so before anything of them is written, and batches of others before
 * anything of them is taken in. One change that may not be made refuses them all.
 */
import { AteError } from '../../error.js'
import type { WriteRule } from '../../trust/rules.js'
import { demandWrite, type KnownWriteRules, type Look, type Placed, writeRuleOf } from '../access.js'
import { formatKey, isSameKey, type KeyParts } from '../object-key.js'
import type { Rights } from '../rights.js'

export interface ObjectChanges {
  readonly keys: Iterable<KeyParts>
  /** How objects lie without the changes, and with them. */
  readonly before: Look
  readonly after: Look
  /** A protected object was there and was deleted. */
  readonly isDead: (key: KeyParts) => boolean
  readonly rights: Rights
  /** Who may change what has no rule. */
  readonly top: WriteRule
}

/**
 * Returns the protected objects that are deleted: each must leave a tombstone. NOT_AUTHORIZED, ALREADY_DELETED,
 * PARENT_NOT_FOUND, CYCLE.
 */
export function judgeObjects(changes: ObjectChanges): KeyParts[] {
  const { keys, before, after, isDead, rights, top } = changes
  const mourned: KeyParts[] = []
  const grounded = new Set<string>()
  const known: Record<'before' | 'after', KnownWriteRules> = { before: new Map(), after: new Map() }
  for (const key of keys) {
    if (isDead(key)) throw new AteError('ALREADY_DELETED', `The object ${formatKey(key)} was deleted, and stays so.`)
    const was = before(key)
    const becomes = after(key)
    const rule = was === undefined ? undefined : writeRuleOf(key, before, top, known.before)
    if (rule !== undefined) demandWrite(rights, rule, key)
    if (becomes !== undefined && (was === undefined || !isSameParent(was, becomes))) {
      demandGrounded(key, after, grounded)
      const parent = becomes.parent?.key
      // A parent is judged as it was: what comes with the same commit cannot make room for itself.
      const isBefore = parent !== undefined && before(parent) !== undefined
      const rule = isBefore
        ? writeRuleOf(parent, before, top, known.before)
        : writeRuleOf(parent, after, top, known.after)
      demandWrite(rights, rule, parent ?? key)
    }
    if (becomes === undefined && rule !== undefined && rule.kind !== 'everyone') mourned.push(key)
  }
  return mourned
}

function isSameParent({ parent: a }: Placed, { parent: b }: Placed): boolean {
  if (a === undefined || b === undefined) return a === b
  return isSameKey(a.key, b.key) && a.collection === b.collection
}

/** All above the object is there, up to an object without a parent. PARENT_NOT_FOUND, CYCLE. */
function demandGrounded(key: KeyParts, after: Look, grounded: Set<string>): void {
  const path = new Set<string>()
  for (let at: KeyParts | undefined = key; at !== undefined;) {
    const text = formatKey(at)
    if (grounded.has(text)) break
    if (path.has(text)) throw new AteError('CYCLE', `The object ${text} would lie below itself.`)
    path.add(text)
    const placed: Placed | undefined = after(at)
    if (placed === undefined)
      throw new AteError('PARENT_NOT_FOUND', `The object ${formatKey(key)} would lie below one that is not there.`)
    at = placed.parent?.key
  }
  for (const text of path) grounded.add(text)
}
