/**
 * Tells who subscribed what commits have done: to the children of a collection, to one object, or to the objects of a type
 * without a parent; in the order of the commits, once they are durable.
 */
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
      /** Of the record as it is stored. */
      readonly bytes: number
    }
  | { readonly kind: 'deleted'; readonly key: KeyParts; readonly name: string }

export interface ChildListener {
  note(event: ChildEvent): void
  /** The chain is closed: nothing more comes. */
  end(): void
}

/** What is listened to: a collection by its number, an object by its key, or the objects of a type without a parent. */
export type Topic = number | ObjectKey | RootsTopic

declare const brand: unique symbol
type RootsTopic = string & { readonly [brand]: 'RootsTopic' }

export function rootsTopic(type: string): RootsTopic {
  // No key has a space in it.
  return `roots of ${type}` as RootsTopic
}

interface Told {
  readonly topic: Topic
  readonly event: ChildEvent
}

export class CommitFeed implements CommitListener {
  readonly #listeners = new Map<Topic, Set<ChildListener>>()
  #last: Promise<void> = Promise.resolve()

  get isListening(): boolean {
    return this.#listeners.size > 0
  }

  /** Tells `listener` of every later commit; returns what ends it. */
  subscribe(topic: Topic, listener: ChildListener): () => void {
    const listeners = this.#listeners.get(topic) ?? new Set()
    listeners.add(listener)
    this.#listeners.set(topic, listeners)
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0) this.#listeners.delete(topic)
    }
  }

  /** Resolves when everybody has been told of what is committed, and that nothing more comes. */
  async close(): Promise<void> {
    await this.#last
    const all = [...this.#listeners.values()].flatMap((listeners) => [...listeners])
    this.#listeners.clear()
    for (const listener of all) undisturbed(() => listener.end())
  }

  note(changes: readonly RecordChange[], committed: Promise<void>): void {
    const told = this.#eventsOf(changes)
    if (told.length === 0) return
    this.#last = this.#last.then(async () => {
      try {
        await committed
      } catch {
        return // it may be lost: who made the commit was told
      }
      for (const { topic, event } of told)
        for (const listener of this.#listeners.get(topic) ?? []) undisturbed(() => listener.note(event))
    })
  }

  #eventsOf(changes: readonly RecordChange[]): Told[] {
    const objects = changes.filter(({ kind }) => kind === OBJECT_KIND).map(objectChange)
    const records = new Map(objects.map((change) => [change.text, change]))
    const told: Told[] = []
    const children = new Set<ObjectKey>()
    for (const change of changes) {
      if (change.kind !== CHILD_KIND || !this.#listeners.has(change.high)) continue
      for (const event of placeEvents(change, records)) {
        children.add(formatKey(event.key))
        told.push({ topic: change.high, event })
      }
    }
    for (const change of objects) {
      const { text, before, after } = change
      const collection = after?.parent?.collection
      if (collection !== undefined && !children.has(text)) this.#tell(told, collection, change, after, after)
      this.#tell(told, text, change, before, after)
      for (const type of new Set([before?.type, after?.type]))
        if (type !== undefined) this.#tell(told, rootsTopic(type), change, rootOf(before, type), rootOf(after, type))
    }
    return told
  }

  /** What became of an object as far as a topic goes: what it was there, and what it is. */
  #tell(
    told: Told[],
    topic: Topic,
    { key, bytes }: ObjectChange,
    before: ObjectRecord | undefined,
    after: ObjectRecord | undefined,
  ): void {
    if (!this.#listeners.has(topic)) return
    if (after !== undefined) {
      const kind = before === undefined ? 'stored' : 'changed'
      told.push({ topic, event: { kind, key, name: '', record: after, bytes } })
    } else if (before !== undefined) told.push({ topic, event: { kind: 'deleted', key, name: '' } })
  }
}

/** One listener that fails is nothing to the others, and does not keep the chain from its end. */
function undisturbed(tell: () => void): void {
  try {
    tell()
  } catch {
    // There is nobody to be told: the commit is made, and not his.
  }
}

/** An object before and after a commit; undefined: there was none, or is none. */
interface ObjectChange {
  readonly key: KeyParts
  readonly text: ObjectKey
  readonly before: ObjectRecord | undefined
  readonly after: ObjectRecord | undefined
  /** Of the record after it. */
  readonly bytes: number
}

function objectChange({ high, low, before, after }: RecordChange): ObjectChange {
  const key = { high, low }
  return { key, text: formatKey(key), before: recordOf(before), after: recordOf(after), bytes: after?.length ?? 0 }
}

function recordOf(bytes: Uint8Array | undefined): ObjectRecord | undefined {
  return bytes === undefined ? undefined : decodeObject(bytes)
}

/** The record of an object of that type without a parent. */
function rootOf(record: ObjectRecord | undefined, type: string): ObjectRecord | undefined {
  return record?.type === type && record.parent === undefined ? record : undefined
}

/** Children that came to a place, or left it. */
function* placeEvents(
  { before, after }: RecordChange,
  records: ReadonlyMap<ObjectKey, ObjectChange>,
): Generator<ChildEvent> {
  const [left, came] = [childrenOf(before), childrenOf(after)]
  for (const [text, { key, name }] of left) if (!came.has(text)) yield { kind: 'deleted', key, name }
  for (const [text, { key, name }] of came) {
    const { after: record, bytes = 0 } = records.get(text) ?? {}
    if (!left.has(text) && record !== undefined) yield { kind: 'stored', key, name, record, bytes }
  }
}

function childrenOf(value: Uint8Array | undefined): Map<ObjectKey, Child> {
  return new Map((value === undefined ? [] : decodeChildren(value)).map((child) => [formatKey(child.key), child]))
}
