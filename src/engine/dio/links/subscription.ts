/** What becomes of objects, as it is committed: of the children of a collection, of those without a parent, or of one. */
import type { ChildEvent, Topic } from '../commit-feed.js'
import type { Dao, DataType } from '../data-type.js'
import { EventQueue } from '../event-queue.js'
import { formatKey, type ObjectKey } from '../object-key.js'
import type { EventSource } from './link-host.js'

/** `name`: in a map, the name of the child; empty elsewhere, and for a child that was changed where it is. */
export type CollectionEvent<D> =
  | { readonly kind: 'stored' | 'changed'; readonly key: ObjectKey; readonly name: string; readonly dao: Dao<D> }
  | { readonly kind: 'deleted'; readonly key: ObjectKey; readonly name: string }

/** Events from now on, until it is closed, `break` leaves its loop, or the chain is closed. */
export type Subscription<D> = AsyncIterableIterator<CollectionEvent<D>> & Disposable

/** Of objects that every event is made of. */
const EVENT_BYTES = 200

export function subscribeTo<D extends DataType>(source: EventSource, type: D, topic: Topic): Subscription<D> {
  const read = async (event: ChildEvent): Promise<CollectionEvent<D>> => {
    const key = formatKey(event.key)
    const { kind, name } = event
    return kind === 'deleted'
      ? { kind, key, name }
      : { kind, key, name, dao: await source.read(type, event.key, event.record) }
  }
  const queue = new EventQueue(read, () => end())
  const end = source.subscribe(topic, { note: (event) => queue.push(event, weightOf(event)), end: () => queue.close() })
  return queue
}

/** What an event takes in memory, about. */
function weightOf(event: ChildEvent): number {
  return EVENT_BYTES + (event.kind === 'deleted' ? 0 : 2 * event.bytes)
}
