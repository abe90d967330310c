/** What a copy gives back: only what is gone when it comes to it, and only of batches before those that drop it. */
import t from 'tap'
import { DroppedSpace } from '../../src/client/dropped-space.js'
import { StateKeeper } from '../../src/client/state-keeper.js'
import { type MemoryChain, openMemoryChain } from '../../src/engine/chain/memory-chain.js'
import type { RecordView } from '../../src/engine/chain/record-view.js'
import { MAX_DROPPED_BODIES } from '../../src/engine/limits.js'
import { encodeDrop, readBatches } from '../../src/engine/log/index.js'
import { ManifestFile } from '../../src/engine/log/manifest-file.js'
import {
  DROP_NUMBER,
  GROUP_CONTENT,
  GROUP_DROP,
  type GroupDraft,
  type NumberRange,
} from '../../src/engine/log/types.js'
import { memoryState } from '../helpers/remote-chains.js'
import { crypto, ManualTimers } from '../helpers/wire.js'

const BODY_BYTES = 20_000

class Copy {
  readonly chain: MemoryChain
  #transaction = 0

  private constructor(chain: MemoryChain) {
    this.chain = chain
  }

  static async make(): Promise<Copy> {
    return new Copy(await openMemoryChain({ crypto }))
  }

  async content(number: number): Promise<void> {
    await this.#submit({ kind: GROUP_CONTENT, number, parts: [new Uint8Array(BODY_BYTES)] })
  }

  async drop(...ranges: readonly NumberRange[][]): Promise<void> {
    const drafts = ranges.map((range): GroupDraft => ({
      kind: GROUP_DROP,
      number: DROP_NUMBER,
      parts: [encodeDrop(range)],
    }))
    await this.#submit(...drafts)
  }

  /** Batches that content is missing of, after all that a server has accepted is given back. */
  async freed(view: Partial<Pick<RecordView, 'isGone' | 'hasBody' | 'giveBackWith'>>): Promise<number[]> {
    const { storage, keys, writer } = this.chain
    const source = { storage, crypto, keys }
    const { headSequence: sequence, headDigest: digest } = writer.status
    const timers = new ManualTimers()
    const server = { sequence, digest }
    const known = { url: 'ws://a/b', session: new Uint8Array(16), term: 0, server, head: null, signer: null, freed: 0 }
    const state = new StateKeeper({ state: memoryState(), known, timers })
    const giveBackWith = async (free: () => Promise<number>): Promise<number> => {
      await writer.rotate()
      return await free()
    }
    const hasBody = (): boolean => true
    const space = new DroppedSpace({ source, timers, state, view: { giveBackWith, hasBody, ...view } })
    await space.free()
    const end = writer.status.headSequence
    await (await ManifestFile.load(storage, crypto, keys)).allowDrops()
    const missing: number[] = []
    for await (const batch of readBatches(source, 1, end)) if (batch.missing.length > 0) missing.push(batch.sequence)
    await space.close()
    await state.close()
    await this.chain.close()
    return missing
  }

  async #submit(...groups: GroupDraft[]): Promise<void> {
    await this.chain.writer.submit({ transaction: ++this.#transaction, groups, isDurable: true })
  }
}

const one = (body: number): NumberRange[] => [{ from: body, to: body }]

await t.test('content of a batch behind the drop stays, whatever its number is', async (t) => {
  const copy = await Copy.make()
  await copy.content(10)
  await copy.drop(one(10))
  await copy.content(10)
  t.strictSame(await copy.freed({}), [1])
})

await t.test('what has come to live while readers were waited for stays', async (t) => {
  const copy = await Copy.make()
  await copy.content(10)
  await copy.content(11)
  await copy.drop(one(10), one(11))
  let isLive = false
  const missing = await copy.freed({
    isGone: (body) => body === 10 || !isLive,
    giveBackWith: async (free) => {
      await copy.chain.writer.rotate()
      isLive = true
      return await free()
    },
  })
  t.strictSame(missing, [1])
})

await t.test('batches that drop more than any may free nothing, and hold up nothing', async (t) => {
  const copy = await Copy.make()
  await copy.content(10)
  const [far, most] = [1_000_000, MAX_DROPPED_BODIES]
  await copy.drop(one(10), [{ from: far, to: far + most - 1 }])
  const many = Array.from({ length: most }, (_, i) => ({ from: far + 2 * i, to: far + 2 * i }))
  await copy.drop(many, many, many)
  let asked = 0
  t.strictSame(await copy.freed({ isGone: () => ++asked > 0 }), [])
  t.equal(asked, 0)
})

await t.test('what many batches name is looked for once', async (t) => {
  const copy = await Copy.make()
  for (let i = 0; i < 20; i++) await copy.drop([{ from: 10, to: 1009 }])
  let asked = 0
  t.strictSame(await copy.freed({ isGone: () => ++asked < 0 }), [])
  t.equal(asked, 1000)
})
