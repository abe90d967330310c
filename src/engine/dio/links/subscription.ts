/** What becomes of objects, as it is committed: of the children of a collection, of those without a parent, or of one. */
import type { ChildEvent, Topic } from '../commit-feed.js'
import type { CollectionEvent, Subscription } from '../dao.js'
import type { DataType } from '../data-type.js'
import { EventQueue } from '../event-queue.js'
import { formatKey } from '../object-key.js'
import type { EventSource } from './link-host.js'

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
