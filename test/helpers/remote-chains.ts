/** Chains of notes in memory that follow a server of a test. */
import { collectGarbage } from '../../src/adapters/node/collect-garbage.js'
import { nativeCrypto as crypto } from '../../src/adapters/node/native-crypto.js'
import {
  isSyncMode,
  readClientState,
  RemoteChain,
  type RemoteChainOptions,
  RemoteLink,
  type StateStore,
} from '../../src/client/index.js'
import { openMemoryChain } from '../../src/engine/chain/memory-chain.js'
import type { ChainKeys } from '../../src/engine/crypto/chain-keys.js'
import { Chain } from '../../src/engine/dio/chain.js'
import type { ChainTrust } from '../../src/engine/log/types.js'
import { findReferences } from '../../src/engine/dio/references.js'
import { judgeBatch } from '../../src/engine/dio/judging/judge-batch.js'
import { type BatchBytes, MemoryStorage } from '../../src/engine/log/index.js'
import { dataType, errorCode, type ObjectKey, plain } from '../../src/index.js'
import { writerOf } from '../../src/sync/index.js'
import { MemoryKnownServers } from '../../src/wire/index.js'
import type { RemoteLinkOptions } from '../../src/client/index.js'

export const Note = dataType('RemoteNote', plain<{ text: string }>())
export const NAME = 'notes'
export const URL_OF_NOTES = 'ws://relay:80/db/notes'

export interface Machine {
  chain: Chain
  remote: RemoteChain
  link: RemoteLink
  keys: ChainKeys
  storage: MemoryStorage
  state: StateStore & { bytes: Uint8Array | undefined }
  /** As an end of the process does: nothing is said or brought. */
  kill(): Promise<void>
  close(): Promise<void>
}

/** A server. */
export interface Served extends Pick<RemoteLinkOptions, 'dial'> {
  readonly chains?: { has(name: string): boolean }
}

export type MachineOptions = Partial<RemoteChainOptions> & {
  keys?: ChainKeys
  storage?: MemoryStorage
  state?: Machine['state']
  mayBeAway?: boolean
  segmentBytes?: number
  /** Batches of others that are kept. */
  onTaken?: (run: readonly BatchBytes[]) => void
}

export function linkTo(relay: Served): RemoteLink {
  const trust = { server: 'relay:80', known: new MemoryKnownServers() }
  const wire = { crypto, encryption: 0, target: 'relay:80/db', trust } as const
  return new RemoteLink({
    server: 'relay:80/db',
    dial: relay.dial,
    wire: () => wire,
    backoff: { firstMs: 10, maxMs: 50 },
  })
}

export function memoryState(): Machine['state'] {
  const state: Machine['state'] = {
    bytes: undefined,
    read: () => Promise.resolve(state.bytes),
    write: (bytes) => {
      state.bytes = bytes
      return Promise.resolve()
    },
  }
  return state
}

/** A copy of the chain, which is made first when the server has none. */
export async function machine(relay: Served, options: MachineOptions = {}): Promise<Machine> {
  const {
    keys: givenKeys,
    storage = new MemoryStorage(),
    state = memoryState(),
    mayBeAway = false,
    onTaken,
    ...others
  } = options
  const { segmentBytes, ...rest } = others
  const memory = await openMemoryChain({
    crypto,
    storage,
    judge: judgeBatch,
    findReferences,
    isServed: true,
    readers: { pollMs: 5, limitMs: 50 },
    ...(segmentBytes === undefined ? {} : { segmentBytes }),
    ...(rest.trust === undefined ? {} : { trust: rest.trust }),
    collectGarbage,
    ...(givenKeys ? { keys: givenKeys } : {}),
  })
  const { view, keys, trust } = memory
  const name = rest.chain ?? NAME
  if (!mayBeAway && relay.chains?.has(name) !== true) await make(relay, name, keys, trust)
  const chain = new Chain({
    name,
    view,
    crypto,
    nowMs: Date.now,
    durability: 'local',
    shared: {
      accepted: () => remote.accepted(),
      refresh: () => remote.refresh(),
      isStrict: isSyncMode(rest.recoveryMode ?? 'readonly-async'),
      isOnDisk: true,
    },
    trust,
    compact: () => view.compact(),
    onClose: async () => {
      await remote.close()
      await memory.close()
    },
  })
  const link = linkTo(relay)
  const { headSequence: sequence, headDigest: digest } = view.writerStatus
  const remote: RemoteChain = new RemoteChain({
    link,
    crypto,
    chain: NAME,
    recoveryMode: 'readonly-async',
    trust,
    source: { storage, crypto, keys },
    head: { sequence, digest },
    view,
    receive: async (run) => {
      if (chain.isClosed) return new Promise(() => undefined)
      await chain.receive(run, { isDurable: false, mayMiss: true })
      onTaken?.(run)
    },
    flush: () => view.commit({ isDurable: false }),
    state,
    known: await readClientState(crypto, state, URL_OF_NOTES),
    patienceMs: 300,
    ...rest,
  })
  const kill = async (): Promise<void> => {
    await link.close()
    await chain.close()
  }
  const close = async (): Promise<void> => {
    await chain.close()
    await link.close()
  }
  await remote.start({ mayBeAway }).catch(async (error: unknown) => {
    await close()
    throw error
  })
  return { chain, remote, link, keys, storage, state, kill, close }
}

async function make(relay: Served, chain: string, keys: ChainKeys, trust: ChainTrust): Promise<void> {
  const link = linkTo(relay)
  const peer = await link.connection(5000)
  const made = {
    chain,
    id: keys.chainId,
    suite: keys.suite,
    trust: trust === 'local' ? 'centralized' : 'distributed',
    keyring: null,
    writer: writerOf(keys),
  } as const
  await peer.request(0, 'create', made).catch((error: unknown) => {
    if (errorCode(error) !== 'CHAIN_EXISTS') throw error
  })
  await link.close()
}

export function store({ chain }: Pick<Machine, 'chain'>, text: string): Promise<{ key: ObjectKey }> {
  return chain.transact((dio) => dio.store({ text }, { type: Note }))
}

/** The notes of a chain, sorted. */
export async function texts({ chain }: Pick<Machine, 'chain'>): Promise<string[]> {
  const all: string[] = []
  for await (const { text } of chain.dio().roots(Note)) all.push(text)
  return all.sort()
}

/** Fails when it does not become so in time. */
export async function eventually(what: () => boolean | Promise<boolean>, timeoutMs = 5000): Promise<void> {
  for (const until = performance.now() + timeoutMs; !(await what());) {
    if (performance.now() > until) throw new Error('it did not become so in time')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
