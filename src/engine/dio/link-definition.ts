/** What a type says of its links. */
import { AteError } from '../error.js'
import type { DataType } from './data-type.js'

/** What `vecOf` makes. */
export interface VecLink<D extends DataType = DataType> {
  readonly kind: 'vec'
  readonly target: D
}
/** What `mapOf` makes. */
export interface MapLink<D extends DataType = DataType> {
  readonly kind: 'map'
  readonly target: D
}
/** What `childOf` makes. */
export interface ChildLink<D extends DataType = DataType> {
  readonly kind: 'child'
  readonly target: D
}
/** What `weakTo` makes. */
export interface WeakLink<D extends DataType = DataType> {
  readonly kind: 'weak'
  readonly target: D
}
/** What `foreign` makes. */
export interface ForeignLink {
  readonly kind: 'foreign'
}

export type LinkDefinition = VecLink | MapLink | ChildLink | WeakLink | ForeignLink

/** Children in an order. They are deleted with their parent. */
export const vecOf = <D extends DataType>(target: D): VecLink<D> => ({ kind: 'vec', target })
/** Children by name. They are deleted with their parent. */
export const mapOf = <D extends DataType>(target: D): MapLink<D> => ({ kind: 'map', target })
/** At most one child. It is deleted with its parent. */
export const childOf = <D extends DataType>(target: D): ChildLink<D> => ({ kind: 'child', target })
/** Another object, which has its own life. */
export const weakTo = <D extends DataType>(target: D): WeakLink<D> => ({ kind: 'weak', target })
/** Objects of other chains, by names. */
export const foreign = (): ForeignLink => ({ kind: 'foreign' })

const KINDS: readonly unknown[] = ['vec', 'map', 'child', 'weak', 'foreign'] satisfies LinkDefinition['kind'][]

/** The links of the types that were used. */
const known = new WeakMap<DataType, ReadonlyMap<string, LinkDefinition>>()

/** The links of a type by their names; looked at when the first object is made, and not again. BAD_ARGUMENT for what is none. */
export function linksOf(type: DataType): ReadonlyMap<string, LinkDefinition> {
  let links = known.get(type)
  if (links === undefined) {
    links = new Map(Object.entries(type.links).map(([name, link]) => [name, checkLink(type, name, link)]))
    known.set(type, links)
  }
  return links
}

function checkLink(type: DataType, name: string, link: unknown): LinkDefinition {
  const { kind, target }: { kind?: unknown; target?: unknown } = typeof link === 'object' && link !== null ? link : {}
  if (!KINDS.includes(kind) || (kind !== 'foreign' && typeof target !== 'object'))
    throw new AteError('BAD_ARGUMENT', `The link ${name} of ${type.name} is none.`, {
      hint: 'Say what it is: vecOf(Type), mapOf(Type), childOf(Type), weakTo(Type) or foreign().',
    })
  // Made by one of the functions above.
  return link as LinkDefinition
}
