/** What the kinds of groups have for flags, in the group's header and in the batch's table alike. */
import { GROUP_CONTENT, GROUP_DROP, GROUP_RECORDS, type GroupKind } from '../types.js'
import { GROUP_FLAG_CRITICAL } from './group-header.js'

/** Who does not know what a drop is would take what it names for damage. */
export function groupFlags(kind: GroupKind): number {
  return kind === GROUP_DROP ? GROUP_FLAG_CRITICAL : 0
}

/** The kind, when it is one that this program knows, with the flags that it must have. */
export function knownKind(kind: number, flags: number): GroupKind | undefined {
  if (kind !== GROUP_RECORDS && kind !== GROUP_CONTENT && kind !== GROUP_DROP) return undefined
  return flags === groupFlags(kind) ? kind : undefined
}
