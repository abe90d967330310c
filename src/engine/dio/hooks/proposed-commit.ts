/** What validators judge: all changes of objects that become one batch, and who makes them. */
import { equalBytes } from '../../bytes/equal.js'
import type { KeyId } from '../../trust/keys.js'
import type { DataType, FieldsOf } from '../data-type.js'
import type { KeyParts } from '../object-key.js'
import { isSameKey } from '../object-key.js'
import { type Change, changeOf, type Version } from './change.js'

/** A session without what is secret of it. */
export interface Who {
  /** Who he is, for people. */
  readonly identity: string
  /** What an authority says of him. */
  readonly claims: Readonly<Record<string, string>>
}

export interface ProposedChange {
  readonly key: KeyParts
  readonly before: Version | undefined
  readonly after: Version | undefined
}

/** Where a commit comes from, when it is not made by this program. */
export interface Elsewhere {
  /** Ids of the keys that signed it, verified: in distributed trust. */
  readonly signers: readonly KeyId[]
}

/** A commit before anything of it is kept. */
export class ProposedCommit {
  /** Who makes it; nobody for one from elsewhere. */
  readonly who: Who
  /** Set for a batch that another copy of the chain made: it was judged where it was made, and may not be judged so here. */
  readonly elsewhere: Elsewhere | undefined
  readonly #proposed: readonly ProposedChange[]
  #changes: readonly Change[] | undefined

  constructor(who: Who, proposed: readonly ProposedChange[], elsewhere?: Elsewhere) {
    this.who = who
    this.elsewhere = elsewhere
    this.#proposed = proposed
  }

  /** Objects that are created, changed (their fields, links, parent or rules) and deleted. */
  get changes(): readonly Change[] {
    return (this.#changes ??= this.#proposed.map(({ key, before, after }) => changeOf(key, before, after)))
  }

  /** Those of one type, with its fields. */
  of<D extends DataType>(type: D): Change<FieldsOf<D>>[] {
    return this.changes.flatMap((change) => change.as(type) ?? [])
  }

  /** What was thought of the one holds for the other. */
  isSame(other: ProposedCommit): boolean {
    const [ours, theirs] = [this.#proposed, other.#proposed]
    return ours.length === theirs.length && ours.every((change, i) => isSameChange(change, theirs[i]))
  }
}

function isSameChange(a: ProposedChange, b: ProposedChange | undefined): boolean {
  return b !== undefined && isSameKey(a.key, b.key) && isSame(a.before, b.before) && isSame(a.after, b.after)
}

function isSame(a: Version | undefined, b: Version | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  if (a.updatedAt !== undefined || b.updatedAt !== undefined) return a.updatedAt === b.updatedAt
  return a.type === b.type && isSameParent(a.parent, b.parent) && isSameLabels(a, b) && equalBytes(a.data(), b.data())
}

function isSameParent(a: KeyParts | undefined, b: KeyParts | undefined): boolean {
  return a === undefined || b === undefined ? a === b : isSameKey(a, b)
}

function isSameLabels({ labels: a }: Version, { labels: b }: Version): boolean {
  return a.size === b.size && [...a].every(([name, value]) => b.get(name) === value)
}
