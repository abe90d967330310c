/** What a type says of its links. The type of the other side may be given as a function, for types that refer to each other. */
import type { DataType } from './data-type.js'

/** The other side of a link. */
export type Target<D extends DataType> = D | (() => D)

export interface VecLink<D extends DataType = DataType> {
  readonly kind: 'vec'
  readonly target: Target<D>
}
export interface MapLink<D extends DataType = DataType> {
  readonly kind: 'map'
  readonly target: Target<D>
}
export interface ChildLink<D extends DataType = DataType> {
  readonly kind: 'child'
  readonly target: Target<D>
}
export interface WeakLink<D extends DataType = DataType> {
  readonly kind: 'weak'
  readonly target: Target<D>
}
export interface ForeignLink {
  readonly kind: 'foreign'
}

export type LinkDefinition = VecLink | MapLink | ChildLink | WeakLink | ForeignLink

/** Children in an order. They are deleted with their parent. */
export const vecOf = <D extends DataType>(target: Target<D>): VecLink<D> => ({ kind: 'vec', target })
/** Children by name. They are deleted with their parent. */
export const mapOf = <D extends DataType>(target: Target<D>): MapLink<D> => ({ kind: 'map', target })
/** At most one child. It is deleted with its parent. */
export const childOf = <D extends DataType>(target: Target<D>): ChildLink<D> => ({ kind: 'child', target })
/** Another object, which has its own life. */
export const weakTo = <D extends DataType>(target: Target<D>): WeakLink<D> => ({ kind: 'weak', target })
/** Objects of other chains, by names. */
export const foreign = (): ForeignLink => ({ kind: 'foreign' })

export function targetOf<D extends DataType>(link: { readonly target: Target<D> }): D {
  return typeof link.target === 'function' ? link.target() : link.target
}
