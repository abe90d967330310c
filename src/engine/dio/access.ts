/**
 * Who may: the rules in force, found from an object upwards, and the keys of a session compared with them. Nothing is
 * decided by what a change says of itself: an object is judged by where it was, and by where it comes to lie.
 */
import { ByteWriter } from '../bytes/byte-writer.js'
import { LABELS } from '../crypto/labels.js'
import type { CryptoProvider } from '../crypto/provider.js'
import { AteError } from '../error.js'
import { ACCESS_KEY_BYTES, openWith, sealWith, unwrapAccessKey, wrapAccessKey } from '../trust/access-keys.js'
import type { KeyId, ReadKey } from '../trust/keys.js'
import type { WriteRule } from '../trust/rules.js'
import type { AteSession } from '../trust/session.js'
import type { RecordReader } from '../transaction/record-reader.js'
import { ACCESS_KEY_KIND } from './kinds.js'
import { formatKey, isSameKey, type KeyParts, writeObjectKey } from './object-key.js'
import type { AccessKeyName, Parent } from './object-record.js'
import type { Rights } from './rights.js'
import { decodeAccessKey, encodeAccessKey, type StoredReadRule, type StoredRules } from './rule-record.js'

/** What the rules of an object depend on. */
export interface Placed {
  readonly parent: Parent | undefined
  readonly rules: StoredRules | undefined
}

/** How an object lies, undefined when there is none. */
export type Look = (key: KeyParts) => Placed | undefined

/** What an object says of itself; undefined: it is as its parent. */
type Ask<T> = (placed: Placed) => { readonly answer: T } | undefined

/**
 * Asks an object, and what it lies below, until one answers; `top` answers for who has no parent. `known`, where given, is what
 * was found before with this question, so that many objects of a deep tree cost no more than the tree. PARENT_NOT_FOUND, also for
 * a chain that somebody has tied into a knot.
 */
function askUpwards<T>(key: KeyParts, look: Look, ask: Ask<T>, top: T, known?: Map<string, T>): T {
  const path: string[] = []
  const found = (answer: T): T => {
    for (const text of path) known?.set(text, answer)
    return answer
  }
  for (const [at, placed] of ancestors(key, look)) {
    if (known !== undefined) {
      const text = formatKey(at)
      const before = known.get(text)
      if (before !== undefined || known.has(text)) return found(before as T)
      path.push(text)
    }
    const said = ask(placed)
    if (said !== undefined) return found(said.answer)
  }
  return found(top)
}

/**
 * From the object to the top, however deep it lies. PARENT_NOT_FOUND for what is not there, and for what lies below itself: by
 * Brent's way of finding cycles, which needs no memory.
 */
export function* ancestors<P extends Pick<Placed, 'parent'>>(
  key: KeyParts,
  look: (key: KeyParts) => P | undefined,
): Generator<readonly [KeyParts, P]> {
  let [at, mark, steps, limit]: [KeyParts | undefined, KeyParts, number, number] = [key, key, 0, 1]
  while (at !== undefined) {
    const placed = look(at)
    if (placed === undefined || (steps > 0 && isSameKey(at, mark)))
      throw new AteError('PARENT_NOT_FOUND', `The object ${formatKey(at)} is not there, or lies below itself.`)
    yield [at, placed]
    if (steps === limit) [mark, steps, limit] = [at, 0, 2 * limit]
    at = placed.parent?.key
    steps++
  }
}

/** What was found, for many objects of one state. */
export type KnownWriteRules = Map<string, WriteRule>
export type KnownAccessKeys = Map<string, AccessKeyName | undefined>

/** Who may change the object; at the top who holds a root key, or everyone where there is none. */
export function writeRuleOf(key: KeyParts | undefined, look: Look, top: WriteRule, known?: KnownWriteRules): WriteRule {
  if (key === undefined) return top
  const ask: Ask<WriteRule> = ({ rules }) =>
    rules === undefined || rules.write.kind === 'inherit' ? undefined : { answer: rules.write }
  return askUpwards(key, look, ask, top, known)
}

/** The access key that seals the object; undefined: everyone reads it. */
export function accessKeyOf(key: KeyParts, look: Look, known?: KnownAccessKeys): AccessKeyName | undefined {
  const ask: Ask<AccessKeyName | undefined> = ({ rules }) => {
    const read: StoredReadRule = rules?.read ?? { kind: 'inherit' }
    return read.kind === 'inherit' ? undefined : { answer: read.kind === 'ring' ? read : undefined }
  }
  return askUpwards(key, look, ask, undefined, known)
}

/** NOT_AUTHORIZED unless the rule is met. */
export function demandWrite(rights: Rights, rule: WriteRule, key: KeyParts): void {
  if (rule.kind === 'everyone') return
  if (rule.kind === 'any' && rights.holdsOneOf(rule.keys)) return
  const why = rule.kind === 'nobody' ? 'nobody may change it' : `${rights.of} holds no key that may`
  throw new AteError('NOT_AUTHORIZED', `The object ${formatKey(key)} cannot be changed: ${why}.`)
}

/** An access key, and the key of the session that opened it. Secret. */
interface OpenKey {
  readonly bytes: Uint8Array
  /** Undefined: it was made here, and nothing that is stored is sealed with it yet. */
  readonly openedBy: KeyId | undefined
}

/** What opening and making keys takes. */
export interface AccessParts {
  readonly crypto: CryptoProvider
  /** Milliseconds since 1970. */
  readonly nowMs: () => number
}

/** Opens and makes the access keys of a session, and what they seal: for one transaction, since what it makes may be given up. */
export class AccessKeys {
  readonly #objects: AccessParts
  readonly #session: AteSession
  /** Made when there is one: who reads what everybody may needs none. */
  #keys: Map<string, OpenKey> | undefined

  constructor(objects: AccessParts, session: AteSession) {
    this.#objects = objects
    this.#session = session
  }

  /** NO_READ_KEY when the session holds none of those that open it. */
  key(name: AccessKeyName, reader: RecordReader): Uint8Array {
    const nowMs = this.#objects.nowMs()
    const known = this.#keys?.get(text(name))
    if (known !== undefined && this.#isHeld(known, nowMs)) return known.bytes
    const record = reader.get(ACCESS_KEY_KIND, name.ring, name.epoch)
    for (const { readKey, wrapped } of record === undefined ? [] : decodeAccessKey(record).wraps) {
      const held = this.#session.readKey(readKey, nowMs)
      if (held === undefined) continue
      const key = unwrapAccessKey(this.#objects.crypto, held, contextOf(name), wrapped)
      this.#keep(name, { bytes: key, openedBy: readKey })
      return key
    }
    throw new AteError('NO_READ_KEY', `The session of ${this.#session.identity} holds no key that opens this object.`)
  }

  /** The record of an access key, new unless `key` is given, for those who hold one of `readers`. */
  record(name: AccessKeyName, readers: readonly ReadKey[], key?: Uint8Array): Uint8Array {
    const { crypto } = this.#objects
    const bytes = key ?? crypto.randomBytes(ACCESS_KEY_BYTES)
    if (key === undefined) this.#keep(name, { bytes, openedBy: undefined })
    const context = contextOf(name)
    const wraps = readers.map((reader) => ({
      readKey: reader.id,
      wrapped: wrapAccessKey(crypto, reader, context, bytes),
    }))
    return encodeAccessKey({ wraps })
  }

  seal(name: AccessKeyName, reader: RecordReader, object: KeyParts, data: Uint8Array): Uint8Array {
    return sealWith(this.#objects.crypto, this.key(name, reader), LABELS.objectData, contextOf(name, object), data)
  }

  /** NO_READ_KEY, BODY_DAMAGED. */
  open(name: AccessKeyName, reader: RecordReader, object: KeyParts, sealed: Uint8Array): Uint8Array {
    return openWith(this.#objects.crypto, this.key(name, reader), LABELS.objectData, contextOf(name, object), sealed)
  }

  #keep(name: AccessKeyName, key: OpenKey): void {
    this.#keys ??= new Map()
    this.#keys.set(text(name), key)
  }

  /** Sessions expire, those that lend their keys too. */
  #isHeld({ openedBy }: OpenKey, nowMs: number): boolean {
    return openedBy === undefined || this.#session.readKey(openedBy, nowMs) !== undefined
  }
}

function text({ ring, epoch }: AccessKeyName): string {
  return `${ring}.${epoch}`
}

/** What a seal is bound to: moved to another key, or to another object, it does not open. */
function contextOf({ ring, epoch }: AccessKeyName, object?: KeyParts): Uint8Array {
  const writer = new ByteWriter(32).u53(ring).varint(epoch)
  if (object !== undefined) writeObjectKey(writer, object)
  return writer.copy()
}
