/** What objects of a received batch hold: the version they are built on, how it is sealed, and where it lies. */
import { equalBytes } from '../../bytes/equal.js'
import { AteError } from '../../error.js'
import { accessKeyOf, type KnownAccessKeys, type Look } from '../access.js'
import { decodeClock, latestAfter } from '../hybrid-clock.js'
import { CLOCK_KIND } from '../kinds.js'
import { formatKey, type KeyParts } from '../object-key.js'
import type { AccessKeyName, ObjectRecord } from '../object-record.js'
import { bad, type ReceivedBatch } from './received-batch.js'

/** The clock of the chain never goes back, nor to where none could go on. CONFLICT, TIME_AHEAD, BAD_FORMAT. */
export function judgeTimes(batch: ReceivedBatch): void {
  const known = batch.before.get(CLOCK_KIND, 0, 0)
  const before = known === undefined ? 0 : decodeClock(known)
  const latest = latestAfter(before)
  for (const { high, low, value } of batch.changes(CLOCK_KIND)) {
    if (high !== 0 || low !== 0 || value === null) throw bad('stops the clock of the chain')
    const time = decodeClock(value)
    if (time < before) throw new AteError('CONFLICT', 'The batch sets the clock of the chain back.')
    demandEarlier(time, latest)
  }
  for (const key of batch.changedObjects()) {
    const object = batch.objectAfter(key)
    if (object !== undefined) demandEarlier(Math.max(object.createdAt, object.updatedAt), latest)
  }
}

function demandEarlier(time: number, latest: number): void {
  if (time > latest) throw new AteError('TIME_AHEAD', 'The batch brings a time that lies beyond the year 2100.')
}

/** CONFLICT, NOT_SEALED, BAD_FORMAT. `bodies`: numbers of the contents that came with the batch. */
export function judgeContent(batch: ReceivedBatch, bodies: readonly number[]): void {
  const come = new Set(bodies)
  for (const body of bodies)
    if (come.size !== bodies.length || batch.before.hasBody(body))
      throw new AteError('CONFLICT', `The batch brings content of the number ${body}, which is given out already.`)
  const after: Look = (key) => batch.objectAfter(key)
  const known: KnownAccessKeys = new Map()
  for (const key of batch.changedObjects()) {
    const becomes = batch.objectAfter(key)
    if (becomes === undefined) continue
    const was = batch.objectBefore(key)
    demandNext(key, was, becomes)
    if (was !== undefined && isSameContent(was, becomes)) continue
    demandSealed(key, accessKeyOf(key, after, known), becomes)
    demandBodies(batch, becomes, come)
  }
}

/** Whoever builds on another version than there is has not seen what he would replace. */
function demandNext(key: KeyParts, was: ObjectRecord | undefined, becomes: ObjectRecord): void {
  const next = (was?.revision ?? 0) + 1
  if (becomes.revision === next) return
  const message = `The object ${formatKey(key)} comes as version ${becomes.revision}, where ${next} would be the next.`
  throw new AteError('CONFLICT', message)
}

function demandSealed(key: KeyParts, name: AccessKeyName | undefined, { sealedBy, indexed }: ObjectRecord): void {
  if (!isSameName(name, sealedBy)) {
    const how = sealedBy === undefined ? 'comes in clear' : 'is sealed with another access key than its rule says'
    throw new AteError('NOT_SEALED', `The object ${formatKey(key)} ${how}.`)
  }
  if (sealedBy !== undefined && indexed.length > 0)
    throw new AteError('NOT_SEALED', `The index tells of the fields of ${formatKey(key)}, which are sealed.`)
}

function demandBodies({ before }: ReceivedBatch, { data }: ObjectRecord, come: ReadonlySet<number>): void {
  if (data instanceof Uint8Array) return
  for (const { body } of data)
    if (!come.has(body) && !before.hasBody(body)) throw bad(`refers to the content ${body}, which is not there`)
}

function isSameContent(a: ObjectRecord, b: ObjectRecord): boolean {
  if (!isSameName(a.sealedBy, b.sealedBy)) return false
  if (a.data instanceof Uint8Array) return b.data instanceof Uint8Array && equalBytes(a.data, b.data)
  const others = b.data
  if (others instanceof Uint8Array || a.data.length !== others.length) return false
  return a.data.every(({ body, offset, length }, i) => {
    const other = others[i]
    return other?.body === body && other.offset === offset && other.length === length
  })
}

function isSameName(a: AccessKeyName | undefined, b: AccessKeyName | undefined): boolean {
  return a?.ring === b?.ring && a?.epoch === b?.epoch
}
