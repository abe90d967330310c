/** A chain whose records refer to bodies, and what it must hold: for tests of compaction. */
import { nativeCrypto } from '../../src/adapters/node/native-crypto.js'
import { ByteReader } from '../../src/engine/bytes/byte-reader.js'
import { ByteWriter } from '../../src/engine/bytes/byte-writer.js'
import { openMemoryChain, type MemoryChain, type MemoryChainOptions } from '../../src/engine/chain/memory-chain.js'
import type { FindReferences } from '../../src/engine/chain/compaction/live-bodies.js'
import { moveSlice } from '../../src/engine/chain/compaction/repack.js'
import type { BodySlice } from '../../src/engine/chain/record-view.js'
import type { SigningKey } from '../../src/engine/crypto/signature.js'
import { verifyLog } from '../../src/engine/log/index.js'
import type { LogStorage } from '../../src/engine/log/storage.js'
import { keys } from './log-workbench.js'

export const KIND = 20
/** Records that refer to nothing: (KIND_COUNT, 1, 1) is the number of the last commit. */
export const KIND_COUNT = 19
/** A reference to no body. */
const NOWHERE = new Uint8Array(3)
const ALL = Number.MAX_SAFE_INTEGER

/** Length and byte of the content of each record, by the record's low. */
export type Contents = Map<number, { length: number; byte: number }>

export const findReferences: FindReferences = ({ kind, value }, refer) => {
  if (kind !== KIND) return kind === KIND_COUNT
  const { body, length } = decode(value)
  refer(body, length)
  return true
}

export async function openBodyChain(options: Partial<MemoryChainOptions> = {}): Promise<MemoryChain> {
  const chain = await openMemoryChain({
    crypto: nativeCrypto,
    keys,
    findReferences,
    segmentBytes: 64 * 1024,
    ...options,
  })
  const { view } = chain
  view.repackWith(async ({ records, bodies }) => {
    for (const { kind, high, low } of records) {
      const slice = decode(view.get(kind, high, low) ?? NOWHERE)
      const moved = bodies.has(slice.body) ? moveSlice(view, slice) : undefined
      if (moved !== undefined) view.put(kind, high, low, encode(moved))
    }
    await view.commit()
  })
  return chain
}

function encode({ body, offset, length }: BodySlice): Uint8Array {
  return new ByteWriter(16).varint(body).varint(offset).varint(length).copy()
}

function decode(value: Uint8Array): BodySlice {
  const reader = new ByteReader(value, 'reference')
  return { body: reader.varint('body'), offset: reader.varint('offset'), length: reader.varint('length') }
}

export class BodyModel {
  /** As of the last change. */
  contents: Contents = new Map()

  put({ view }: MemoryChain, low: number, length: number, byte: number): void {
    const staged = view.stage(length)
    staged.fill(byte)
    view.put(KIND, 1, low, encode(view.addBody(staged)))
    this.contents.set(low, { length, byte })
  }

  /** Another record refers to the same content. */
  copy({ view }: MemoryChain, from: number, to: number): void {
    const content = this.contents.get(from)
    const record = view.get(KIND, 1, from)
    if (content === undefined || record === undefined) return
    view.put(KIND, 1, to, record.slice())
    this.contents.set(to, content)
  }

  delete({ view }: MemoryChain, low: number): void {
    view.delete(KIND, 1, low)
    this.contents.delete(low)
  }
}

/** Commits, with the number of the commit in it. */
export function commitAs({ view }: MemoryChain, number: number, signers?: readonly SigningKey[]): Promise<void> {
  view.put(KIND_COUNT, 1, 1, new ByteWriter(8).u53(number).copy())
  return view.commit({ isDurable: true, ...(signers === undefined ? {} : { signers }) })
}

export function lastCommitOf({ view }: MemoryChain): number {
  const value = view.get(KIND_COUNT, 1, 1)
  return value === undefined ? 0 : new ByteReader(value, 'count').u53('count')
}

/** What is wrong with what the chain holds; undefined when it is exactly `contents`. */
export function wrongWith({ view }: MemoryChain, contents: Contents): string | undefined {
  const items = view.range(KIND, 1, 0, ALL, ALL)
  const lows = [...contents.keys()].sort((a, b) => a - b)
  if (items.map(({ low }) => low).join() !== lows.join()) return 'there are other records'
  for (const { low, value } of items) {
    const { length = 0, byte = 0 } = contents.get(low) ?? {}
    const content = new Uint8Array(length)
    try {
      void view.copyBody(decode(value), content, 0)
    } catch (error) {
      return `record ${low}: ${String(error)}`
    }
    if (decode(value).length !== length || content.some((at) => at !== byte)) return `record ${low} has other content`
  }
  return undefined
}

export async function firstFinding(storage: LogStorage): Promise<string | undefined> {
  for await (const { kind, message, group } of verifyLog({ storage, crypto: nativeCrypto, keys }))
    return `${kind} ${group}: ${message}`
  return undefined
}
