/** Three sessions that compact what they wrote, and what is to be demanded of whatever a crash in them left. */
import type { JudgeBatch } from '../../../src/engine/chain/batch-gate.js'
import { judgeDrop } from '../../../src/engine/chain/compaction/judge-drop.js'
import { receivedChanges } from '../../../src/engine/chain/received-changes.js'
import { AteError, errorCode } from '../../../src/engine/error.js'
import { MemoryStore } from '../../../src/engine/index/memory-store.js'
import type { OrderedStore } from '../../../src/engine/index/ordered-store.js'
import type { ChainTrust } from '../../../src/engine/log/types.js'
import { WriteKey } from '../../../src/engine/trust/keys.js'
import { nativeCrypto } from '../../../src/adapters/node/native-crypto.js'
import type { MemoryChain } from '../../../src/engine/chain/memory-chain.js'
import { BodyModel, commitAs, type Contents, findReferences, firstFinding } from '../body-chain.js'
import { lastCommitOf, openBodyChain, wrongWith } from '../body-chain.js'
import { FaultStorage } from '../fault-storage.js'
import type { CrashedSession, CrashNote } from './crashes.js'
import { HistoryStore } from './history-store.js'

export interface CompactedLife extends CrashedSession {
  dropped: number
}

const signer = WriteKey.fromSeed(nativeCrypto, new Uint8Array(64).fill(7))

/** In distributed trust: whoever deletes must sign it, so that what a crash tears from its signatures deletes nothing. */
const judge: JudgeBatch = (batch, before) => {
  const { records, dropped, forgets, signers } = batch
  if (dropped.length > 0 || forgets > 0) judgeDrop(batch, before, findReferences)
  else if (
    signers.length === 0 &&
    receivedChanges(records).some((change) => !('low' in change) || change.value === null)
  )
    throw new AteError('NOT_AUTHORIZED', 'Nobody has signed what is deleted.')
}

export async function liveCompacting(trust: ChainTrust): Promise<CompactedLife> {
  const storage = new FaultStorage()
  const store = new HistoryStore()
  const open = (storage: FaultStorage, store: OrderedStore): Promise<[MemoryChain, string[]]> =>
    openJudged(trust, storage, store)
  const model = new BodyModel()
  /** What the chain held after each commit. */
  const states: Contents[] = [new Map<number, never>()]
  let acknowledged = 0
  let dropped = 0
  const note = (): void => storage.mark({ acknowledged, indexSteps: store.steps.length } satisfies CrashNote)
  store.onStep = note
  for (const session of [1, 2, 3]) {
    const [chain] = await open(storage, store)
    const commit = async (isSigned = false): Promise<void> => {
      const number = states.push(new Map(model.contents)) - 1
      const signers = isSigned && trust === 'distributed' ? [signer.signing] : undefined
      await commitAs(chain, number, signers)
      acknowledged = Math.max(acknowledged, number)
      note()
    }
    for (let low = session * 10; low < session * 10 + 8; low++) {
      model.put(chain, low, 7000, low)
      if (low % 3 === 0) model.put(chain, low + 100, 300, low)
      await commit()
    }
    const under: Promise<void>[] = []
    for (let low = session * 10 - 3; low < session * 10 + 5; low++) {
      model.delete(chain, low)
      // Those under way together share a signature.
      if (trust === 'distributed' && low % 4 === 0) under.push(commit(true))
    }
    model.copy(chain, session * 10 + 5, session * 10 + 205)
    if (trust === 'distributed') under.push(commit(true))
    else await commit()
    const compacted = chain.view.compact()
    model.put(chain, session * 10 + 9, 500, 77)
    const committed = commit()
    dropped += (await compacted).bodies
    await Promise.all([...under, committed])
    note()
    if (session === 2) model.delete(chain, 27)
    if (session === 2) await commit(true)
    dropped += (await chain.view.compact()).bodies
    note()
    if (session !== 2) await chain.close()
  }
  note()
  const openAndLook: CrashedSession['openAndLook'] = (storage, store, note) =>
    look({ open, storage, store, note, states })
  return { storage, store, dropped, openAndLook }
}

interface Look {
  open: (storage: FaultStorage, store: OrderedStore) => Promise<[MemoryChain, string[]]>
  storage: FaultStorage
  store: OrderedStore
  note: CrashNote
  states: readonly Contents[]
}

async function look({ open, storage, store, note, states }: Look): Promise<string | undefined> {
  const [chain, refused] = await open(storage, store)
  // What is torn from its signatures; an honest drop never.
  if (refused.some((code) => code !== 'NOT_AUTHORIZED')) return `refused: ${refused.join()}`
  const last = lastCommitOf(chain)
  if (last < note.acknowledged) return `commit ${last} is the last, ${note.acknowledged} was acknowledged`
  const contents: Contents = states[last] ?? new Map<number, never>()
  const wrong = wrongWith(chain, contents)
  if (wrong !== undefined) return `after opening: ${wrong}`
  await chain.view.compact()
  const model = new BodyModel()
  model.contents = new Map(contents)
  model.put(chain, 1, 3000, 1)
  await chain.view.commit()
  await chain.view.compact()
  await chain.close()
  const finding = await firstFinding(storage)
  if (finding !== undefined) return `after going on: ${finding}`
  for (const index of [store, new MemoryStore()]) {
    const [again, refusedAgain] = await open(storage, index)
    const wrong = wrongWith(again, model.contents)
    if (wrong !== undefined) return `after reopening: ${wrong}`
    await again.close()
    if (refusedAgain.length > refused.length) return `more is refused then: ${refusedAgain.join()}`
  }
  return undefined
}

/** With the codes of what is refused. */
async function openJudged(
  trust: ChainTrust,
  storage: FaultStorage,
  store: OrderedStore,
): Promise<[MemoryChain, string[]]> {
  const refused: string[] = []
  const onRefused = ({ error }: { error: Error }): void => void refused.push(errorCode(error) ?? '')
  const judging = trust === 'distributed' ? { trust, judge, onRefused } : {}
  return [await openBodyChain({ storage, store, segmentBytes: 24 * 1024, ...judging }), refused]
}
