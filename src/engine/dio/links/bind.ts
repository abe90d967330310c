/** Gives an object the links of its type, as properties that are not among its fields. */
import { AteError } from '../../error.js'
import type { DataType } from '../data-type.js'
import { type LinkDefinition, linksOf } from '../link-definition.js'
import type { ObjectKey } from '../object-key.js'
import type { LinkValue } from '../object-record.js'
import { ChildOf } from './dao-child.js'
import { Foreign } from './dao-foreign.js'
import { MapOf } from './dao-map.js'
import { VecOf } from './dao-vec.js'
import { WeakTo } from './dao-weak.js'
import type { LinkHost } from './link-host.js'

/** What a link that was added to the type after the object was stored leads to, for who only reads. */
const EMPTY_COLLECTION = 0

export function bindLinks(
  host: LinkHost,
  type: DataType,
  key: ObjectKey,
  fields: object,
  links: ReadonlyMap<string, LinkValue>,
): void {
  for (const [name, definition] of linksOf(type)) {
    if (Object.hasOwn(fields, name))
      throw new AteError('INVALID_OBJECT', `The field ${name} of ${type.name} has the name of one of its links.`)
    Object.defineProperty(fields, name, { value: bindLink(host, key, name, definition, links.get(name)) })
  }
}

function bindLink(
  host: LinkHost,
  owner: ObjectKey,
  name: string,
  definition: LinkDefinition,
  value: LinkValue | undefined,
): object {
  if (definition.kind === 'weak')
    return new WeakTo(
      { host, owner, name, value: value?.kind === 'weak' ? value : { kind: 'weak', key: undefined } },
      definition.target,
    )
  if (definition.kind === 'foreign')
    return new Foreign({
      host,
      owner,
      name,
      value: value?.kind === 'foreign' ? value : { kind: 'foreign', targets: new Map() },
    })
  const collection = value?.kind === 'collection' ? value.collection : EMPTY_COLLECTION
  const link = { host, type: definition.target, parent: owner, collection }
  if (definition.kind === 'vec') return new VecOf(link)
  return definition.kind === 'map' ? new MapOf(link) : new ChildOf(link)
}
