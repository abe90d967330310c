/** Copies of chains that come from elsewhere: backups that are put back, exports that are taken in. */
import { resolve } from 'node:path'
import { checkChainName } from '../engine/chain/chain-name.js'
import { demandNoReplica } from '../adapters/node/demand-no-replica.js'
import { examineChainDirectory } from '../adapters/node/chain-presence.js'
import {
  importIntoDirectory,
  type ImportOptions,
  type ImportPlaces,
  type ImportReport,
} from '../adapters/node/import-range.js'
import { type RestoreOptions, type RestoreReport, restoreDirectory } from '../adapters/node/restore-chain.js'
import { standardPaths } from '../adapters/node/standard-paths.js'
import { Hooks } from '../engine/dio/hooks/hooks.js'
import type { Plugin } from '../engine/dio/plugin.js'
import { AteError } from '../engine/error.js'
import { JUDGE_MODULE } from './judge-module.js'
import { receiverOf } from './receiver.js'
import type { AteConfig } from './config.js'
import { tellRefused } from './refused.js'
import { secretFor } from './secret.js'

export type { ImportReport, RestoreOptions, RestoreReport }
export type { BackupOptions, BackupReport, CopyProgress, ExportOptions } from '../engine/chain/chain-keeping.js'

/** How an export is taken in, and by whom it is judged. */
export interface ImportRangeOptions extends ImportOptions {
  /** Their validators judge each batch; `open` and `close` are not called, since nothing may be written to a copy. */
  plugins?: readonly Plugin[] | undefined
}

/**
 * Puts the backup in the directory `backup` in the place of the chain of that name; nobody may have it open. It is verified
 * first, and opens with the passphrase of the configuration. Refused, changing nothing, unless forced: CHAIN_EXISTS, CHAIN_NEWER,
 * CHAIN_FORKED, OTHER_CHAIN for the chain that is there; CHAIN_ROLLED_BACK when this machine knows of a newer one. CHAIN_DAMAGED,
 * CHAIN_LOCKED, WRONG_PASSPHRASE, ABORTED, NO_SPACE, ...
 */
export async function restoreChain(
  config: AteConfig,
  name: string,
  backup: string,
  options: RestoreOptions = {},
): Promise<RestoreReport> {
  const directory = await directoryOf(config, name)
  const secret = secretFor(config.options, config.options.passphrase === undefined)
  const { anchorPath } = config.options
  const anchorDirectory = anchorPath === undefined ? standardPaths(process.env).anchors : resolve(anchorPath)
  return await restoreDirectory({ backup: resolve(backup), directory, secret, anchorDirectory }, options)
}

/**
 * Appends an export to the copy of its chain of that name, or makes that from an export that begins with batch 1; nobody may have
 * it open. All of it or nothing: CHAIN_GAP, CHAIN_FORKED, OTHER_CHAIN, BATCH_REFUSED, REFUSED (by a validator of `plugins`),
 * EXPORT_DAMAGED, BAD_FORMAT, UNSUPPORTED_FORMAT, NO_PASSPHRASE, WRONG_PASSPHRASE, ABORTED, ... What the copy has already is skipped.
 * In distributed trust a batch that every reader refuses comes as what it is: `onRefused` of the configuration is told.
 */
export async function importRange(
  config: AteConfig,
  name: string,
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: ImportRangeOptions = {},
): Promise<ImportReport> {
  const { plugins, ...how } = options
  const hooks = new Hooks(plugins)
  const directory = await directoryOf(config, name)
  examineChainDirectory(directory)
  const secret = secretFor(config.options, config.options.passphrase === undefined)
  const places: ImportPlaces = {
    directory,
    secret,
    judgeModule: JUDGE_MODULE,
    receiverOf: (handle) => receiverOf(handle, hooks),
    onRefused: (refused) => tellRefused(config.options, refused),
  }
  return await importIntoDirectory(places, source, how)
}

async function directoryOf({ options }: AteConfig, name: string): Promise<string> {
  checkChainName(name)
  if (options.logPath === undefined)
    throw new AteError('BAD_ARGUMENT', 'The configuration has no logPath: its chains are in memory.')
  const directory = resolve(options.logPath, name)
  await demandNoReplica(directory)
  return directory
}
