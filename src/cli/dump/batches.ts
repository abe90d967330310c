/** The batches of a chain's log: when, by whom, and what each changed. Content is not opened. */
import { toHex } from '../../engine/bytes/hex.js'
import { readChanges } from '../../engine/chain/change-stream.js'
import type { ChainKeys } from '../../engine/crypto/chain-keys.js'
import type { CryptoProvider } from '../../engine/crypto/provider.js'
import { OBJECT_KIND } from '../../engine/dio/kinds.js'
import { formatKey } from '../../engine/dio/object-key.js'
import { decodeObject } from '../../engine/dio/object-record.js'
import { errorCode } from '../../engine/error.js'
import { type ReceivedBatch, readBatches } from '../../engine/log/index.js'
import { mayWait, type Proven, ProofQueue } from '../../engine/log/proof-queue.js'
import type { LogStorage } from '../../engine/log/storage.js'
import { GROUP_CONTENT } from '../../engine/log/types.js'
import { type KeyId, keyIdOf } from '../../engine/trust/keys.js'

export interface DumpedBatch {
  sequence: number
  /** Of its link. */
  digest: string
  /** By the clock of who wrote it. */
  timeMs: number
  /** The keys that signed it; absent where whoever has the chain's key may. `forged`: a signature does not verify. */
  signers?: readonly KeyId[] | 'forged'
  /** Records that it put and deleted. */
  records: number
  deletions: number
  /** Contents that it brought, and those that it says are needed no more. */
  bodies: readonly number[]
  dropped: number
  /** What it made of objects: their versions, and those that it deleted. */
  objects: readonly { key: string; version: number | 'deleted' }[]
}

export interface DumpedKey {
  /** The id of a public key. */
  id: KeyId
  /** Batches that it signed. */
  batches: number
}

export interface BatchesToDump {
  storage: LogStorage
  crypto: CryptoProvider
  keys: ChainKeys
  /** Of the last batch. */
  head: number
}

/** Verified as they are read. CHAIN_DAMAGED. `signedBy` counts what each key has signed. */
export async function* dumpBatches(from: BatchesToDump, signedBy: Map<KeyId, number>): AsyncGenerator<DumpedBatch> {
  if (from.head === 0) return
  const queue = new ProofQueue<ReceivedBatch>(from.crypto)
  const told = (proven: readonly Proven<ReceivedBatch>[]): DumpedBatch[] =>
    proven.map(({ item, signers }) => describe(item, signersOf(signers, signedBy)))
  for await (const batch of readBatches(from, 1, from.head)) {
    if (batch.authorship === undefined) yield describe(batch, undefined)
    else yield* told(queue.take(batch, batch.authorship, mayWait(batch.records)))
  }
  yield* told(queue.end())
}

function signersOf(signers: () => Uint8Array[], signedBy: Map<KeyId, number>): DumpedBatch['signers'] {
  try {
    const ids = signers().map(keyIdOf)
    for (const id of ids) signedBy.set(id, (signedBy.get(id) ?? 0) + 1)
    return ids
  } catch (error) {
    if (errorCode(error) === 'BAD_SIGNATURE') return 'forged'
    throw error
  }
}

function describe(batch: ReceivedBatch, signers: DumpedBatch['signers']): DumpedBatch {
  const { sequence, digest, head, groups, dropped, records: streams } = batch
  const objects: { key: string; version: number | 'deleted' }[] = []
  let [records, deletions] = [0, 0]
  const note = (kind: number, high: number, low: number, version: number | 'deleted'): void => {
    if (kind === OBJECT_KIND) objects.push({ key: formatKey({ high, low }), version })
  }
  for (const stream of streams)
    readChanges(stream, {
      put: (kind, high, low, value) => {
        records++
        if (kind === OBJECT_KIND) note(kind, high, low, decodeObject(value)?.revision ?? 'deleted')
      },
      delete: (kind, high, low) => {
        deletions++
        note(kind, high, low, 'deleted')
      },
      deleteRange: () => {
        deletions++
      },
    })
  return {
    sequence,
    digest: toHex(digest),
    timeMs: head.link.timeMs,
    ...(signers === undefined ? {} : { signers }),
    records,
    deletions,
    bodies: groups.filter(({ kind }) => kind === GROUP_CONTENT).map(({ number }) => number),
    dropped: dropped.reduce((sum, { from, to }) => sum + to - from + 1, 0),
    objects,
  }
}
