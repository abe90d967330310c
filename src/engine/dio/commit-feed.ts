/** Tells who subscribed to a collection what commits have done to its children: in the order of the commits, once they are durable. */
import type { CommitListener, RecordChange } from '../transaction/record-store.js'
import { CHILD_KIND, OBJECT_KIND } from './kinds.js'
import { type Child, decodeChildren } from './collection-record.js'
import { formatKey, type KeyParts, type ObjectKey } from './object-key.js'
import { decodeObject, type ObjectRecord } from './object-record.js'

/** What became of a child. One that moved away is deleted here, and stored where it is now. */
export type ChildEvent =
  | {
      readonly kind: 'stored' | 'changed'
      readonly key: KeyParts
      readonly name: string
      readonly record: ObjectRecord
    }
  | { readonly kind: 'deleted'; readonly key: KeyParts; readonly name: string }

export interface ChildListener {
  note(event: ChildEvent): void
  /** The chain is closed: nothing more comes. */
  end(): void
}

export class CommitFeed implements CommitListener {
  readonly #listeners = new Map<number, Set<ChildListener>>()
  #last: Promise<void> = Promise.resolve()

  get isListening(): boolean {
    return this.#listeners.size > 0
  }

  /** Tells `listener` of every later commit; returns what ends it. */
  subscribe(collection: number, listener: ChildListener): () => void {
    const listeners = this.#listeners.get(collection) ?? new Set()
    listeners.add(listener)
    this.#listeners.set(collection, listeners)
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0) this.#listeners.delete(collection)
    }
  }

  /** Resolves when everybody has been told of what is committed, and that nothing more comes. */
  async close(): Promise<void> {
    await this.#last
    const all = [...this.#listeners.values()].flatMap((listeners) => [...listeners])
    this.#listeners.clear()
    for (const listener of all) listener.end()
  }

  note(changes: readonly RecordChange[], committed: Promise<void>): void {
    const events = this.#eventsOf(changes)
    if (events.length === 0) return
    this.#last = this.#last.then(async () => {
      try {
        await committed
      } catch {
        return // it may be lost: who made the commit was told
      }
      for (const { collection, event } of events)
        for (const listener of this.#listeners.get(collection) ?? []) listener.note(event)
    })
  }

  #eventsOf(changes: readonly RecordChange[]): { collection: number; event: ChildEvent }[] {
    const records = new Map<ObjectKey, { key: KeyParts; record: ObjectRecord }>()
    for (const { kind, high, low, after } of changes)
      if (kind === OBJECT_KIND && after !== undefined) {
        const record = decodeObject(after)
        if (record !== undefined) records.set(formatKey({ high, low }), { key: { high, low }, record })
      }
    const events: { collection: number; event: ChildEvent }[] = []
    const told = new Set<ObjectKey>()
    for (const change of changes) {
      if (change.kind !== CHILD_KIND || !this.#listeners.has(change.high)) continue
      for (const event of placeEvents(change, records)) {
        told.add(formatKey(event.key))
        events.push({ collection: change.high, event })
      }
    }
    for (const [text, { key, record }] of records) {
      const collection = record.parent?.collection
      if (collection === undefined || told.has(text) || !this.#listeners.has(collection)) continue
      events.push({ collection, event: { kind: 'changed', key, name: '', record } })
    }
    return events
  }
}

/** Children that came to a place, or left it. */
function* placeEvents(
  { before, after }: RecordChange,
  records: ReadonlyMap<ObjectKey, { record: ObjectRecord }>,
): Generator<ChildEvent> {
  const [left, came] = [childrenOf(before), childrenOf(after)]
  for (const [text, { key, name }] of left) if (!came.has(text)) yield { kind: 'deleted', key, name }
  for (const [text, { key, name }] of came) {
    const record = records.get(text)?.record
    if (!left.has(text) && record !== undefined) yield { kind: 'stored', key, name, record }
  }
}

function childrenOf(value: Uint8Array | undefined): Map<ObjectKey, Child> {
  return new Map((value === undefined ? [] : decodeChildren(value)).map((child) => [formatKey(child.key), child]))
}
