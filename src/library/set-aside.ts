/** What was made in a copy of a served chain while others went on with the chain: read, and made again where it is still wanted. */
import { rm } from 'node:fs/promises'
import { openChain } from '../adapters/node/open-chain.js'
import { isReplica } from '../adapters/node/demand-no-replica.js'
import { setAsideCopies } from '../adapters/node/set-aside-place.js'
import { receivedChanges } from '../engine/chain/received-changes.js'
import type { Chain } from '../engine/dio/chain.js'
import { Hooks } from '../engine/dio/hooks/hooks.js'
import { OBJECT_KIND } from '../engine/dio/kinds.js'
import { formatKey, type ObjectKey } from '../engine/dio/object-key.js'
import { AteError } from '../engine/error.js'
import { type BatchSource, readBatches } from '../engine/log/index.js'
import { parseChainUrl } from '../wire/url.js'
import { chainOn } from './chain-on.js'
import { closingOnFailure } from './closing-on-failure.js'
import type { AteConfig, SetAside } from './config.js'
import { JUDGE_MODULE } from './judge-module.js'
import { chainUrl, hasKeyFile, replicaDirectory } from './replica-places.js'
import { secretFor } from './secret.js'

/** The chain as it was with what was set aside. */
export interface SetAsideChain extends AsyncDisposable {
  /** Only to be read. */
  readonly chain: Chain
  /** The objects that were stored, changed or deleted by what was set aside, in the order in which they first were. */
  readonly changed: readonly ObjectKey[]
  /** Closes the chain; what was set aside stays until `discardSetAside`. */
  close(): Promise<void>
}

/** What was set aside of the chain at that address, where `onSetAside` was told of it, and is not discarded; the oldest first. */
export function listSetAside({ options }: AteConfig, address: string): SetAside[] {
  if (options.logPath === undefined) return []
  const parsed = parseChainUrl(address)
  const url = chainUrl(parsed)
  return setAsideCopies(replicaDirectory(options.logPath, parsed)).map((copy) => ({ url, ...copy }))
}

/** The chain itself may be open. CHAIN_NOT_FOUND when nothing was set aside there, WRONG_PASSPHRASE, CHAIN_DAMAGED, ... */
export async function openSetAside({ options }: AteConfig, aside: SetAside): Promise<SetAsideChain> {
  const { url, first, last, path } = aside
  if (!isReplica(path))
    throw new AteError('CHAIN_NOT_FOUND', `What lies in ${path} is no copy of a chain that a server keeps.`)
  const handle = await openChain({
    directory: path,
    secret: secretFor(options, hasKeyFile(path)),
    anchorDirectory: undefined,
    readOnly: true,
    isServed: true,
    allowDamage: false,
    acceptRollback: false,
    judgeModule: JUDGE_MODULE,
    onProgress: () => undefined,
    onNotice: (message) => options.onNotice?.(message),
  })
  const changed = await closingOnFailure(handle, async () => {
    if (handle.status().headSequence !== last)
      throw new AteError('CHAIN_NOT_FOUND', `What lies in ${path} was never a part of ${url}.`)
    return await changedObjects(handle.source, first, last)
  })
  const chain = await chainOn(url, handle, { durability: 'local' }, options, new Hooks([]))
  const close = (): Promise<void> => chain.close()
  return { chain, changed, close, [Symbol.asyncDispose]: close }
}

/** Forgets it: nobody may have it open. */
export async function discardSetAside(aside: SetAside): Promise<void> {
  await rm(aside.path, { recursive: true, force: true })
}

async function changedObjects(source: BatchSource, first: number, last: number): Promise<ObjectKey[]> {
  const keys = new Set<ObjectKey>()
  for await (const { records } of readBatches(source, first, last))
    for (const change of receivedChanges(records))
      if (change.kind === OBJECT_KIND && 'low' in change) keys.add(formatKey(change))
  return [...keys]
}
