/**
 * `atefs db compact URL`: the copy of a chain of a server is brought up to date, compacted in turn, and what that made is brought to the
 * server, which gives the space back as the copy does.
 */
import { dirname } from 'node:path'
import type { ChainHandle } from '../adapters/node/chain-handle.js'
import type { CompactionReport } from '../engine/chain/compaction/compaction-report.js'
import { AteError, errorCode } from '../engine/error.js'
import type { OpenedFileSystem, Sharing } from '../fs/daemon/opened-file-system.js'
import { openFileSystem } from '../fs/vfs/open.js'
import { ChainBuilder } from '../library/chain-builder.js'
import { AteConfig } from '../library/config.js'
import { logSize } from './describe-location.js'
import type { CommandOpening } from './open-for-command.js'
import { fetchServed, mountServed, type ServedFlags, type ServedPlace, servedPlace } from './open-served.js'
import { wipeSecret } from './passphrase.js'

export interface CompactedCopy extends CompactionReport {
  name: string
  /** What the log of the copy takes on the disk. */
  diskBytesBefore: number
  diskBytesAfter: number
}

/** CHAIN_LOCKED while the copy is in use; NOT_AUTHORIZED, TIMED_OUT; else as `openServed`. */
export async function compactServed(url: string, flags: ServedFlags, opening: CommandOpening): Promise<CompactedCopy> {
  const place = await servedPlace(url, flags)
  const { name, directory } = place
  try {
    const isOfFiles = await fetchServed(place, opening)
    const diskBytesBefore = logSize(directory).diskBytes
    const report = isOfFiles ? await compactFiles(place, opening) : await compactObjects(place, flags, opening)
    const diskBytesAfter = logSize(directory).diskBytes
    // Some of it may go while the server is told.
    const freedBytes = Math.max(report.freedBytes, diskBytesBefore - diskBytesAfter)
    return { ...report, name, freedBytes, diskBytesBefore, diskBytesAfter }
  } catch (cause) {
    if (errorCode(cause) !== 'CHAIN_LOCKED') throw cause
    throw new AteError('CHAIN_LOCKED', `the copy of ${url} in ${directory} is in use`, {
      hint: 'A mount of it compacts by itself, and at once with atefs mount --compact-now. With another --log-path a copy of its own is made.',
      cause,
    })
  } finally {
    wipeSecret(place.secret)
  }
}

async function compactFiles(place: ServedPlace, opening: CommandOpening): Promise<CompactionReport> {
  const { onNotice: onWarning } = opening
  const mount = await mountServed(place, opening, { onlyFetches: false })
  try {
    const open = ({ view, keys }: ChainHandle, sharing: Sharing): Promise<OpenedFileSystem> =>
      openFileSystem({ view, options: { nameKey: keys.nameKey, onWarning, ...sharing } })
    const files = await mount.openFileSystem(open, false)
    try {
      return await mount.chain.compact()
    } finally {
      await files.close()
    }
  } finally {
    await mount.close()
  }
}

/** As a program does that opens it. */
async function compactObjects(
  { remote, directory, secret }: ServedPlace,
  flags: ServedFlags,
  { onProgress, onNotice }: CommandOpening,
): Promise<CompactionReport> {
  const { 'server-key': serverKey, 'dns-server': dnsServer, 'dns-sec': dnsSec } = flags
  const config = AteConfig.default().with({
    // Of all servers: the copy lies below it by the name of its own.
    logPath: dirname(dirname(directory)),
    knownServers: remote.knownServers,
    noCreate: true,
    recoveryMode: 'sync',
    compactMode: 'never',
    onNotice,
    ...(secret.kind === 'passphrase' ? { passphrase: new TextDecoder().decode(secret.passphrase) } : {}),
    ...(serverKey === undefined ? {} : { serverKey }),
    ...(dnsServer === undefined ? {} : { dnsServer }),
    ...(dnsSec === undefined ? {} : { dnsSec }),
  })
  await using chain = await new ChainBuilder(config).open(remote.url, { onProgress })
  return await chain.compact()
}
