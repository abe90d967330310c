/** What links lead to at first: collections of their own, and nothing. */
import type { DataType } from '../data-type.js'
import type { RandomNumbers } from '../numbers.js'
import { linksOf } from '../link-definition.js'
import { type LinkValue, NO_LINKS } from '../object-record.js'

/** The links of a type that `links` has not. */
export function newLinks(
  type: DataType,
  random: RandomNumbers,
  links: ReadonlyMap<string, LinkValue> = NO_LINKS,
): ReadonlyMap<string, LinkValue> {
  let added: Map<string, LinkValue> | undefined
  for (const [name, { kind }] of linksOf(type)) {
    if (links.has(name)) continue
    added ??= new Map()
    if (kind === 'weak') added.set(name, { kind, key: undefined })
    else if (kind === 'foreign') added.set(name, { kind, targets: new Map() })
    else added.set(name, { kind: 'collection', collection: random.next() })
  }
  return added ?? NO_LINKS
}
