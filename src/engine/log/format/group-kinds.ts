/** What the kinds of groups have for flags, in the group's header and in the batch's table alike. */
import { GROUP_CONTENT, GROUP_DROP, GROUP_FORGET, GROUP_RECORDS, type GroupKind } from '../types.js'
import { GROUP_FLAG_CRITICAL } from './group-header.js'

/** Who does not know what a drop or a forgetting is would take what it excuses for damage. */
export function groupFlags(kind: GroupKind): number {
  return kind === GROUP_DROP || kind === GROUP_FORGET ? GROUP_FLAG_CRITICAL : 0
}

/** The kind, when it is one that this program knows, with the flags that it must have. */
export function knownKind(kind: number, flags: number): GroupKind | undefined {
  const isKnown = kind === GROUP_RECORDS || kind === GROUP_CONTENT || kind === GROUP_DROP || kind === GROUP_FORGET
  if (!isKnown) return undefined
  return flags === groupFlags(kind) ? kind : undefined
}
