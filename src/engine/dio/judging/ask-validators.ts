/** Validators of programs judge batches from elsewhere as they judge commits: by what becomes of objects. */
import { equalBytes } from '../../bytes/equal.js'
import { AteError, errorCode } from '../../error.js'
import type { RecordReader } from '../../transaction/record-reader.js'
import type { Version } from '../hooks/change.js'
import type { Hooks } from '../hooks/hooks.js'
import { judge } from '../hooks/judge.js'
import { type ProposedChange, ProposedCommit, type Who } from '../hooks/proposed-commit.js'
import { OBJECT_KIND } from '../kinds.js'
import { type CopyBody, dataAtOnce, dataFrom } from '../object-data.js'
import { decodeObject, encodeObject, type ObjectRecord } from '../object-record.js'
import type { SignedChanges } from './judge-run.js'

/** A session of this program's has not made it. */
const NOBODY: Who = { identity: '', claims: {} }
const NOTHING = new Uint8Array(0)

/** How bytes of fields are read. */
interface Reading {
  readonly hooks: Hooks
  /** Of bodies that the chain has. */
  readonly copyBody: CopyBody
}

/** REFUSED, HOOK_FAILED, TIMED_OUT; BATCH_REFUSED for what no program writes. */
export async function askValidators(
  { hooks, copyBody }: Reading,
  received: SignedChanges,
  latest: RecordReader,
): Promise<void> {
  if (hooks.validators.length === 0) return
  const bodies = new ReceivedBodies(received, copyBody)
  const changes = proposedChanges(received, latest, bodies, hooks)
  if (changes.length === 0) return
  const commit = new ProposedCommit(NOBODY, changes, { signers: received.signers })
  await judge(hooks.validators, commit, undefined)
}

/** What becomes of each object: the last of what the batch says of it. */
function proposedChanges(
  { changes }: SignedChanges,
  latest: RecordReader,
  bodies: ReceivedBodies,
  hooks: Hooks,
): ProposedChange[] {
  const after = new Map<string, { high: number; low: number; value: Uint8Array | null }>()
  for (const change of changes) {
    if (change.kind !== OBJECT_KIND) continue
    if (!('low' in change))
      throw new AteError('BATCH_REFUSED', 'A batch that deletes a range of objects cannot be judged.')
    after.set(`${change.high}.${change.low}`, change)
  }
  const proposed: ProposedChange[] = []
  for (const { high, low, value } of after.values()) {
    const had = bodies.unlessGone(recordIn(latest.get(OBJECT_KIND, high, low)))
    const has = recordIn(value ?? undefined)
    if ((had === undefined && has === undefined) || bodies.isMissing(has) || bodies.isMoved(had, has)) continue
    const before = versionOf(had, bodies, hooks)
    proposed.push({ key: { high, low }, before, after: versionOf(has, bodies, hooks) })
  }
  return proposed
}

/** Undefined for a tombstone too. */
function recordIn(bytes: Uint8Array | undefined): ObjectRecord | undefined {
  return bytes === undefined ? undefined : decodeObject(bytes)
}

function versionOf(record: ObjectRecord | undefined, bodies: ReceivedBodies, hooks: Hooks): Version | undefined {
  if (record === undefined) return undefined
  const { type, parent, labels, updatedAt, transforms, sealedBy } = record
  const data = (): Uint8Array => {
    if (sealedBy === undefined) return hooks.transformers.undo(bodies.dataOf(record), transforms)
    throw new AteError('NO_READ_KEY', 'The fields are sealed, and who takes in a batch holds no key of a session.')
  }
  return { type, parent: parent?.key, labels, updatedAt, data }
}

/** Bodies that come with a batch, and those that are there. */
class ReceivedBodies {
  readonly #received: SignedChanges
  readonly #copyBody: CopyBody
  /** Objects share bodies: the one that was opened last. */
  #opened: { body: number; bytes: Uint8Array | undefined } | undefined

  constructor(received: SignedChanges, copyBody: CopyBody) {
    this.#received = received
    this.#copyBody = copyBody
  }

  /** NOT_SUPPORTED, BODY_DAMAGED. */
  dataOf({ data }: ObjectRecord): Uint8Array {
    return dataAtOnce(
      dataFrom(data, (slice, target, at) => {
        const { body, offset, length } = slice
        const bytes = this.#open(body)
        if (bytes === undefined) return this.#copyBody(slice, target, at)
        if (offset + length > bytes.length)
          throw new AteError('BODY_DAMAGED', 'An object lies beyond the body that it names.')
        target.set(bytes.subarray(offset, offset + length), at)
        return undefined
      }),
    )
  }

  /** A later batch replaces this version, and a compaction has dropped what it held. */
  isMissing(record: ObjectRecord | undefined): boolean {
    const { missing } = this.#received.batch
    if (record === undefined || record.data instanceof Uint8Array) return false
    return record.data.some(({ body }) => missing.some(({ number }) => number === body))
  }

  /** Undefined for a version that was replaced, and whose content has been dropped since: what replaces it is new then. */
  unlessGone(record: ObjectRecord | undefined): ObjectRecord | undefined {
    if (record === undefined || record.data instanceof Uint8Array) return record
    try {
      this.dataOf(record)
      return record
    } catch (error) {
      if (errorCode(error) === 'BODY_DAMAGED') return undefined
      throw error
    }
  }

  /** It is the same as it was, in another place: a compaction does that. */
  isMoved(before: ObjectRecord | undefined, after: ObjectRecord | undefined): boolean {
    if (before === undefined || after === undefined || before.revision !== after.revision) return false
    const [a, b] = [before, after].map((record) => encodeObject({ ...record, data: NOTHING }))
    return a !== undefined && b !== undefined && equalBytes(a, b) && equalBytes(this.dataOf(before), this.dataOf(after))
  }

  #open(body: number): Uint8Array | undefined {
    if (this.#opened?.body !== body) this.#opened = { body, bytes: this.#received.openBody(body) }
    return this.#opened.bytes
  }
}
