/** What can be told of a chain on this machine without its passphrase. Nothing of it is authenticated. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileError } from '../adapters/node/file-error.js'
import { FileStorage } from '../adapters/node/file-storage.js'
import { toHex } from '../engine/bytes/hex.js'
import { crc32 } from '../engine/crypto/crc32.js'
import { aeadKeyBytes, parseAeadSuite } from '../engine/crypto/suites.js'
import { AteError } from '../engine/error.js'
import { MAX_MANIFEST_BYTES } from '../engine/limits.js'
import { trustOf } from '../engine/log/format/feature-flags.js'
import { decodeManifest } from '../engine/log/format/manifest-format.js'
import { MANIFEST_NAME } from '../engine/log/format/segment-name.js'
import type { ChainTrust } from '../engine/log/types.js'
import { lockHolder } from '../fs/daemon/lock-holder.js'
import { listMounts } from '../fs/daemon/registry.js'
import type { ChainLocation } from './chain-argument.js'

export interface ChainDetails {
  chain: string
  directory: string
  chainId: string
  suite: string
  trust: ChainTrust
  /** What opens it: a passphrase, or the file `key`. */
  opensWith: ChainLocation['presence']
  createdMs: number
  /** When something was written last. */
  changedMs: number
  segments: number
  /** Of the segment files, and what of it the disk keeps. */
  logBytes: number
  diskBytes: number
  /** Of the last batch, as far as segments are closed. */
  headSequence: number
  /** Where this user has it mounted. */
  mountpoint?: string
  /** The process that has it open for writing. */
  pid?: number
}

const BLOCK_BYTES = 512

/** CHAIN_DAMAGED, UNSUPPORTED_FORMAT, ACCESS_DENIED, ... */
export async function describeLocation(
  { name, directory, presence }: ChainLocation,
  runtimeDirectory: string,
): Promise<ChainDetails> {
  const bytes = await new FileStorage(directory).readSmall(MANIFEST_NAME, MAX_MANIFEST_BYTES)
  if (bytes === undefined) throw new AteError('CHAIN_DAMAGED', `the manifest of ${name} is missing`)
  const { chainId, suite, format, createdMs, segments } = decodeManifest({ crc32 }, bytes)
  const mount = listMounts(runtimeDirectory).find((record) => record.directory === directory)
  const pid = mount?.pid ?? lockHolder(directory)?.pid
  return {
    chain: name,
    directory,
    chainId: toHex(chainId),
    suite: `aes-${8 * aeadKeyBytes(parseAeadSuite(suite))}-gcm`,
    trust: trustOf(format),
    opensWith: presence,
    createdMs,
    ...logSize(directory),
    headSequence: segments.findLast(({ closing }) => closing !== undefined)?.closing?.lastSequence ?? 0,
    ...(mount === undefined ? {} : { mountpoint: mount.mountpoint }),
    ...(pid === undefined ? {} : { pid }),
  }
}

type LogSize = Pick<ChainDetails, 'segments' | 'logBytes' | 'diskBytes' | 'changedMs'>

/** Holes take nothing on the disk. */
export function logSize(directory: string): LogSize {
  const size = { segments: 0, logBytes: 0, diskBytes: 0, changedMs: 0 }
  try {
    for (const name of readdirSync(directory)) {
      if (!name.endsWith('.seg')) continue
      const stats = statSync(join(directory, name))
      size.segments++
      size.logBytes += stats.size
      size.diskBytes += stats.blocks * BLOCK_BYTES
      size.changedMs = Math.max(size.changedMs, Math.floor(stats.mtimeMs))
    }
  } catch (error) {
    throw fileError('read', 'the directory of the log', error)
  }
  return size
}
