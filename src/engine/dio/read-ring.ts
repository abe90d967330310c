/** Turns a read rule into access keys that lie in the chain. */
import { AteError } from '../error.js'
import type { ReadRule } from '../trust/rules.js'
import type { AccessKeys } from './access.js'
import { ACCESS_KEY_KIND } from './kinds.js'
import type { RandomNumbers } from './numbers.js'
import type { AccessKeyName } from './object-record.js'
import type { ObjectWriter } from './object-writer.js'
import { decodeAccessKey, type StoredReadRule } from './rule-record.js'

/**
 * Who joins a rule reads what was sealed before, too. When somebody leaves it, a new epoch begins: what is sealed from now
 * on he cannot open. NO_READ_KEY when the session cannot open the keys that are to be handed on.
 */
export function storeReadRule(
  writer: ObjectWriter,
  keys: AccessKeys,
  random: RandomNumbers,
  before: StoredReadRule,
  rule: ReadRule,
): StoredReadRule {
  if (rule.kind !== 'any') return rule
  const readers = rule.keys
  if (readers.length === 0)
    throw new AteError('BAD_ARGUMENT', 'A read rule needs a key: without one nobody could read.')
  if (before.kind !== 'ring') {
    const first = { ring: random.next(), epoch: 1 }
    writer.putAccessKey(first, keys.record(first, readers))
    return { kind: 'ring', ...first }
  }
  const { ring, epoch } = before
  const isEveryoneLeft = readersOf(writer, before).every((id) => readers.some((reader) => reader.id === id))
  for (let old = 1; old <= epoch; old++) {
    const name = { ring, epoch: old }
    // A compaction has deleted it: nothing is sealed with it any more.
    if (writer.transaction.get(ACCESS_KEY_KIND, ring, old) === undefined) continue
    writer.putAccessKey(name, keys.record(name, readers, keys.key(name, writer.transaction)))
  }
  if (isEveryoneLeft) return before
  const next = { ring, epoch: epoch + 1 }
  writer.putAccessKey(next, keys.record(next, readers))
  return { kind: 'ring', ...next }
}

function readersOf({ transaction }: ObjectWriter, { ring, epoch }: AccessKeyName): string[] {
  const record = transaction.get(ACCESS_KEY_KIND, ring, epoch)
  return record === undefined ? [] : decodeAccessKey(record).wraps.map(({ readKey }) => readKey)
}
