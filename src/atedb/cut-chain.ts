/**
 * Cuts a chain of a server that is not running back to one of its batches, without a key of the chain: what came behind it lies in an
 * export below `~server/cut` then. Clients that had more are told CHAIN_ROLLED_BACK.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { lockChain } from '../adapters/node/chain-lock.js'
import { bytesOf, type CutReport, demandRemembered, exportTail, stageUpTo } from '../adapters/node/cut-back.js'
import { fileError } from '../adapters/node/file-error.js'
import { FileStorage } from '../adapters/node/file-storage.js'
import { makeDirectory } from '../adapters/node/make-directory.js'
import { nativeCrypto } from '../adapters/node/native-crypto.js'
import { freeName, replaceDirectory } from '../adapters/node/replace-directory.js'
import { ServerStores } from '../adapters/node/server-stores.js'
import { AteError, errorCode } from '../engine/error.js'
import { type BatchSource, type LogEnd, proofRuns, readBatches } from '../engine/log/index.js'
import { loadDropped, RelayLog, type RelayOptions, saveDropped } from '../server/index.js'
import { parseChainUrl } from '../wire/index.js'
import { loadSecret, STORAGE } from './secret-file.js'
import { SERVER_DIRECTORY } from './settings.js'

/** It knows of batches that are cut off. */
const ANCHOR = 'anchor'

export interface CutOptions {
  readonly logsPath: string
  /** With the service: `db/notes`. */
  readonly chain: string
  /** Of the last batch that stays; 0 for none. */
  readonly sequence: number
}

/**
 * A crash leaves the chain as it was, or cut. CHAIN_LOCKED while a server runs; CHAIN_NOT_FOUND; NOT_FOUND when the chain has no such batch;
 * NOT_SUPPORTED when records are forgotten, or content was given back, that it needs then; what `openLog` throws, NO_SPACE.
 */
export async function cutServedChain({ logsPath, chain, sequence }: CutOptions): Promise<CutReport> {
  const server = join(logsPath, SERVER_DIRECTORY)
  const storageSecret = loadSecret(join(server, 'storage'), STORAGE)
  if (storageSecret === undefined) throw notThere(logsPath, chain)
  const name = parseChainUrl('ws://server', chain).chain
  const lock = lockServer(server, logsPath)
  const directory = join(logsPath, name)
  const staged = join(server, 'cutting')
  const options = { crypto: nativeCrypto, storageSecret, clock: Date.now }
  try {
    const { source, to, end } = await look(options, logsPath, name, sequence)
    if (end.sequence === sequence) return { setAside: undefined, batches: 0 }
    await demandRemembered(source, to)
    const keep = await demandKept(source, to, end)
    const setAside = await exportTail(source, join(server, 'cut', name), to, end)
    rmSync(staged, { recursive: true, force: true })
    makeDirectory(staged, 0o700)
    await stageUpTo({ directory, source, staged }, to, async (from) => {
      rmSync(join(staged, ANCHOR), { force: true })
      const cut = await open(options, server, 'cutting')
      try {
        for await (const run of proofRuns(bytesOf(source, from, sequence))) await cut.receive(run, { mayMiss: true })
        await cut.reachDurable()
      } finally {
        await cut.close()
      }
    })
    rmSync(join(staged, ANCHOR), { force: true })
    await saveDropped(new FileStorage(staged), { upTo: 0, keep })
    const aside = replaceDirectory(staged, directory, freeName(join(server, 'cut', 'log'), 'replaced'))
    if (aside !== undefined) rmSync(aside, { recursive: true, force: true })
    lock.finish()
    return { setAside, batches: end.sequence - sequence }
  } catch (error) {
    throw fileError('cut', `the chain ${chain}`, error)
  } finally {
    rmSync(staged, { recursive: true, force: true })
    lock.release()
  }
}

/**
 * Content whose space was given back must be dropped by what stays, or every new copy refuses the chain. Without its keys nobody can
 * tell what a batch drops, only behind which one none does. Returns that.
 */
async function demandKept(source: BatchSource, { sequence }: LogEnd, end: LogEnd): Promise<number> {
  const { keep } = await loadDropped(source.storage)
  if (keep <= sequence) return keep
  if (sequence === 0) return 0
  for await (const { missing } of readBatches(source, 1, sequence)) {
    if (missing.length === 0) continue
    const least = keep < end.sequence ? `It can be cut to batch ${keep} or a later one; a` : 'A'
    throw new AteError(
      'NOT_SUPPORTED',
      `Content of the first ${sequence} batches was given back that later ones may drop.`,
      { hint: `${least} backup of that time has all of it.` },
    )
  }
  return 0
}

/** It is closed again: its files are exchanged. */
async function look(
  options: RelayOptions,
  logsPath: string,
  name: string,
  sequence: number,
): Promise<{ source: BatchSource; to: LogEnd; end: LogEnd }> {
  const log = await open(options, logsPath, name)
  try {
    return { source: log.source, to: await endAt(log, sequence), end: log.head }
  } finally {
    await log.close()
  }
}

function lockServer(server: string, logsPath: string): ReturnType<typeof lockChain> {
  try {
    return lockChain(server, { readOnly: false })
  } catch (error) {
    if (errorCode(error) !== 'CHAIN_LOCKED') throw error
    throw new AteError('CHAIN_LOCKED', `A server has ${logsPath}.`, { hint: 'Stop it first.', cause: error })
  }
}

async function open(options: RelayOptions, logs: string, name: string): Promise<RelayLog> {
  const store = await new ServerStores(logs).open(name)
  if (store === undefined) throw notThere(logs, name)
  try {
    return await RelayLog.open(options, store)
  } catch (error) {
    store.anchor.close()
    throw errorCode(error) === 'NOT_A_CHAIN' ? notThere(logs, name) : error
  }
}

async function endAt(log: RelayLog, sequence: number): Promise<LogEnd> {
  if (sequence === 0) return { sequence, digest: new Uint8Array(32) }
  if (sequence <= log.head.sequence)
    for await (const { digest } of log.read(sequence, sequence)) return { sequence, digest }
  throw new AteError('NOT_FOUND', `The chain has no batch ${sequence}: it ends with ${log.head.sequence}.`)
}

function notThere(logsPath: string, chain: string): AteError {
  return new AteError('CHAIN_NOT_FOUND', `No server keeps a chain ${chain} in ${logsPath}.`)
}
