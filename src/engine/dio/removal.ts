/** Deleting an object with what hangs on it. */
import { Collection } from './collection.js'
import type { KeyParts } from './object-key.js'
import { formatKey } from './object-key.js'
import type { ObjectWriter } from './object-writer.js'

/** What becomes of the children of an object that is deleted: they go as well, or become objects without a parent. */
export type Orphans = 'delete' | 'detach'

/** True when there was one. */
export function removeObject(writer: ObjectWriter, key: KeyParts, orphans: Orphans): boolean {
  const doomed = [key]
  let removed = 0
  for (let next = doomed.pop(); next !== undefined; next = doomed.pop()) {
    const record = writer.recordOf(next)
    const links = writer.tracked(formatKey(next))?.links ?? record?.links
    if (links === undefined) continue
    for (const link of links.values()) {
      if (link.kind !== 'collection') continue
      const children = [...new Collection(writer.transaction, link.collection).children()]
      for (const child of children) {
        if (orphans === 'delete') doomed.push(child.key)
        else writer.move(child.key, undefined)
      }
    }
    writer.erase(next, record)
    removed++
  }
  return removed > 0
}
