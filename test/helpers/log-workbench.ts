/** What the tests of the log share: keys, an anchor in memory, batches that say their own number, and a reading of all. */
import { nativeCrypto } from '../../src/adapters/node/native-crypto.js'
import { deriveChainKeys } from '../../src/engine/crypto/chain-keys.js'
import type { CryptoProvider } from '../../src/engine/crypto/provider.js'
import { AEAD_AES_256_GCM } from '../../src/engine/crypto/suites.js'
import {
  createLog,
  GroupReader,
  type Log,
  openLog,
  type OpenedLog,
  type OpenLogOptions,
} from '../../src/engine/log/index.js'
import type { LogStorage } from '../../src/engine/log/storage.js'
import {
  type AnchorStore,
  type AppendedBatch,
  type BatchDraft,
  GROUP_CONTENT,
  GROUP_RECORDS,
  type ReplayedBatch,
} from '../../src/engine/log/types.js'

export const crypto: CryptoProvider = nativeCrypto
export const keys = deriveChainKeys(crypto, new Uint8Array(32).fill(1), new Uint8Array(16).fill(2), AEAD_AES_256_GCM)

let now = 1_700_000_000_000
export const clock = (): number => now++

export class MemoryAnchor implements AnchorStore {
  content: Uint8Array | undefined

  constructor(content?: Uint8Array) {
    this.content = content
  }

  async read(): Promise<Uint8Array | undefined> {
    return this.content
  }

  write(content: Uint8Array): void {
    this.content = content.slice()
  }

  sync(): void {}

  close(): void {}
}

/** A batch that carries its own number: one group of records, and content of `contentBytes` in pieces when there is any. */
export function draft(number: number, contentBytes = 0, pieceBytes = 4096): BatchDraft {
  const groups = [
    { kind: GROUP_RECORDS, number: number * 1000, parts: [recordsOf(number)] },
  ] as BatchDraft['groups'][number][]
  for (let at = 0; at < contentBytes; at += pieceBytes) {
    const parts = [contentOf(number, groups.length, Math.min(pieceBytes, contentBytes - at))]
    groups.push({ kind: GROUP_CONTENT, number: number * 1000 + groups.length, parts })
  }
  return { groups }
}

export function recordsOf(number: number): Uint8Array {
  return new TextEncoder().encode(`records of batch ${number}`)
}

export function contentOf(number: number, piece: number, length: number): Uint8Array {
  return new Uint8Array(length).fill((number * 31 + piece) & 0xff)
}

export type TestLogOptions = Partial<OpenLogOptions> & { storage: LogStorage }

export interface TestLog extends OpenedLog {
  batches: ReplayedBatch[]
}

export async function open(options: TestLogOptions): Promise<TestLog> {
  const batches: ReplayedBatch[] = []
  const opened = await openLog({
    crypto,
    keys,
    clock,
    readOnly: false,
    onBatch: (batch) => {
      batches.push(batch)
    },
    ...options,
  })
  return { ...opened, batches }
}

export async function create(storage: LogStorage): Promise<void> {
  await createLog({ storage, crypto, keys, clock })
}

/** A new log that holds batches 1 to `count`, one append each. */
export async function filled(storage: LogStorage, count: number, contentBytes = 0): Promise<Log> {
  await create(storage)
  const { log } = await open({ storage })
  for (let number = 1; number <= count; number++) await log.append([draft(number, contentBytes)])
  return log
}

/** The numbers that replayed batches carry. */
export function numbersOf(batches: readonly ReplayedBatch[]): number[] {
  return batches.map(({ records }) => Number(/\d+$/.exec(new TextDecoder().decode(records[0]))?.[0]))
}

/** Reads all content groups of batches and compares them with what `draft` put there. */
export function contentIsRight(storage: LogStorage, batches: readonly AppendedBatch[]): boolean {
  const reader = new GroupReader({ storage, crypto, keys })
  try {
    for (const { groups } of batches) {
      for (const place of groups) {
        if (place.kind !== GROUP_CONTENT) continue
        const opened = reader.open(place)
        const expected = contentOf(Math.floor(place.number / 1000), place.number % 1000, opened.length)
        if (Buffer.compare(opened, expected) !== 0) return false
      }
    }
    return true
  } finally {
    reader.close()
  }
}
