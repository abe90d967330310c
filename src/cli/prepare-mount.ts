/**
 * From the command line of `mount` to what the daemon needs: everything that can be checked is checked here, before a
 * passphrase is asked for, and the passphrase before a process is started.
 */
import { existsSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { AteError } from '../engine/error.js'
import { type ChainPresence, examineChainDirectory } from '../adapters/node/chain-presence.js'
import type { CompactionPlan } from '../adapters/node/compaction-schedule.js'
import { demandNoReplica } from '../adapters/node/demand-no-replica.js'
import { checkPlaces } from '../fs/daemon/chain-places.js'
import type { ChainSecret, KeyBits } from '../adapters/node/chain-handle.js'
import type { DriverChoice, MountRequest } from '../fs/daemon/mount-request.js'
import { prepareMountpoint } from '../fs/daemon/mountpoint.js'
import { TEMPORARY_PREFIX } from '../fs/daemon/registry.js'
import { chainNameOf } from '../adapters/node/chain-name.js'
import { checkChainName } from '../engine/chain/chain-name.js'
import { AES_BITS, type AesBitsWord } from './aes-bits.js'
import { type CompactionFlags, ownTriggers } from './compaction-flags.js'
import { DEFAULT_TIME_SERVER } from '../adapters/node/time-follower.js'
import { directoryOf, remoteAddress, remoteRequest } from './remote-address.js'
import type { RecoveryMode } from '../client/index.js'
import type { ChainAddress } from '../wire/index.js'
import { parseMountOptions, type MountOptions } from './mount-options.js'
import { readPassphrase } from './passphrase.js'
import { makePrivateDirectory, placeError, standardPaths } from '../adapters/node/standard-paths.js'

/** The flags of `mount`, as oclif parses them. */
export interface MountFlags extends CompactionFlags {
  'log-path'?: string | undefined
  passfile?: string | undefined
  passcommand?: string | undefined
  'no-auth': boolean
  remote?: string | undefined
  'recovery-mode'?: RecoveryMode | undefined
  'server-key'?: string | undefined
  'dns-server'?: string | undefined
  'dns-sec'?: boolean | undefined
  'wire-encryption'?: AesBitsWord | undefined
  'no-wire-encryption'?: boolean
  'wire-compression'?: boolean
  'no-create': boolean
  temp: boolean
  'key-size'?: AesBitsWord | undefined
  option?: string[] | undefined
  'read-only': boolean
  'non-empty': boolean
  driver: DriverChoice
  'allow-damage': boolean
  'accept-rollback': boolean
  'compact-now'?: boolean
  'ntp-pool'?: string | undefined
  'ntp-port'?: number | undefined
}

export interface PreparedMount {
  request: MountRequest
  /** The caller wipes the passphrase in it. */
  secret: ChainSecret
  /** For when the mount is refused: nothing is left of it where it was to be. */
  undo: () => void
}

/** Fails with everything that can be wrong with a command line, a mountpoint, a log path or a passphrase's source. */
export async function prepareMount(
  mountpointArgument: string,
  chainArgument: string | undefined,
  flags: MountFlags,
  onNotice: (message: string) => void,
): Promise<PreparedMount> {
  const options = parseMountOptions(flags.option ?? [])
  const compaction = compactionPlan(flags)
  checkTemporary(flags)
  const address = remoteAddress(flags.remote, mountpointArgument, chainArgument)
  const chain =
    address?.chain ??
    (chainArgument === undefined ? chainNameOf(resolve(mountpointArgument)) : checkChainName(chainArgument))
  const { mountpoint, undo } = await prepareMountpoint(mountpointArgument, { nonEmpty: flags['non-empty'], onNotice })
  // Ctrl-C at a prompt exits.
  process.once('exit', undo)
  try {
    return { ...(await prepareChain({ mountpoint, chain, address, flags, options, compaction, onNotice })), undo }
  } catch (error) {
    undo()
    throw error
  } finally {
    process.off('exit', undo)
  }
}

interface ChainToMount {
  mountpoint: string
  chain: string
  address: ChainAddress | undefined
  flags: MountFlags
  options: MountOptions
  compaction: CompactionPlan | undefined
  onNotice: (message: string) => void
}

async function prepareChain(to: ChainToMount): Promise<Omit<PreparedMount, 'undo'>> {
  const { mountpoint, chain, address, flags, options, compaction, onNotice } = to
  const { readOnly: optionReadOnly, fsName, ...driverOptions } = options
  const paths = standardPaths(process.env)
  const logPath = resolve(flags['log-path'] ?? (flags.temp ? tmpdir() : paths.chains))
  // That of a temporary chain gets a name nobody has, when everything else is settled.
  const directory = flags.temp ? join(logPath, TEMPORARY_PREFIX, 'chain') : directoryOf(logPath, chain, address)
  checkPlaces(mountpoint, directory, [logPath, paths.anchors, paths.logs, paths.runtime])
  const readOnly = optionReadOnly || flags['read-only']
  const presence = flags.temp ? 'absent' : examineChainDirectory(directory)
  const isHere = address === undefined
  if (isHere && !readOnly && !flags.temp) await demandNoReplica(directory)
  if (presence === 'absent' && isHere) checkCreation(flags, readOnly, chain, logPath)
  if (presence === 'absent' && isHere && flags['log-path'] !== undefined && !existsSync(logPath)) {
    onNotice(
      `${logPath} was not there: it is made, and in it a new, empty chain. If it should have been (a disk that is not ` +
        'mounted?), unmount and remove it; with --no-create mount makes nothing.',
    )
  }
  const secret = await chooseSecret(flags, presence, chain, onNotice, isHere)
  makePrivateDirectory(paths.runtime)
  makePrivateDirectory(paths.logs)
  if (presence === 'absent' && !flags.temp) makePrivateDirectory(directory)
  const place = flags.temp ? makeTemporaryPlace(logPath, chain) : { directory, anchorDirectory: paths.anchors }
  const remote = address === undefined ? undefined : remoteRequest(address, flags, paths.logs)
  const request: MountRequest = {
    mountpoint,
    chain,
    create: presence === 'absent' && isHere,
    keyBits: readKeyBits(flags['key-size']),
    runtimeDirectory: paths.runtime,
    readOnly,
    allowDamage: flags['allow-damage'],
    acceptRollback: flags['accept-rollback'],
    compaction,
    timeServer: timeServerOf(flags),
    driver: flags.driver,
    driverOptions: { fsName: fsName ?? place.directory, ...driverOptions },
    ...place,
    // What the server has seen is what counts.
    ...(remote === undefined ? {} : { remote, anchorDirectory: undefined }),
  }
  return { request, secret }
}

function checkCreation(flags: MountFlags, readOnly: boolean, chain: string, logPath: string): void {
  if (!flags['no-create'] && !readOnly && !flags['allow-damage']) return
  throw new AteError('CHAIN_NOT_FOUND', `there is no chain ${chain} in ${logPath}`, {
    hint: 'Check --log-path and the name of the chain; without --no-create and --read-only, mount makes a new one.',
  })
}

async function chooseSecret(
  flags: MountFlags,
  presence: ChainPresence,
  chain: string,
  onNotice: (message: string) => void,
  isHere: boolean,
): Promise<ChainSecret> {
  if (flags.temp && isHere) return { kind: 'temporary' }
  if (presence === 'passphrase' && flags['no-auth']) {
    throw new AteError('BAD_ARGUMENT', `the chain ${chain} has a passphrase`, { hint: 'Leave --no-auth out.' })
  }
  if (presence === 'key-file' || flags['no-auth']) {
    onNotice(
      `${chain} has no passphrase: its key lies in the file 'key' beside the log (mode 0600), ` +
        'and whoever can read that directory, or a backup of it, can read everything.',
    )
    return { kind: 'key-file' }
  }
  // Whether a server has it is known when it is asked.
  const isNew = presence === 'absent' && isHere
  const prompt = isNew ? `New passphrase for ${chain}` : `Passphrase for ${chain}`
  return { kind: 'passphrase', passphrase: await readPassphrase(flags, { prompt, isNew }) }
}

function checkTemporary(flags: MountFlags): void {
  const isGiven = flags['no-auth'] || flags.passfile !== undefined || flags.passcommand !== undefined
  if (flags.temp && flags.remote === undefined && isGiven)
    throw new AteError('BAD_ARGUMENT', 'a temporary chain has no passphrase: its key exists in memory only')
}

function makeTemporaryPlace(parent: string, chain: string): Pick<MountRequest, 'directory' | 'temporaryDirectory'> {
  try {
    const temporaryDirectory = mkdtempSync(join(parent, TEMPORARY_PREFIX))
    return { temporaryDirectory, directory: join(temporaryDirectory, chain.replaceAll('/', '%2F')) }
  } catch (cause) {
    throw placeError(`cannot make a temporary directory in ${parent}`, cause)
  }
}

/** Undefined: never. */
function compactionPlan(flags: MountFlags): CompactionPlan | undefined {
  const own = ownTriggers(flags)
  const isNow = flags['compact-now'] === true
  return own.mode === 'never' && !isNow ? undefined : { own, isNow }
}

/** Undefined: nothing goes over the network. */
function timeServerOf({ 'ntp-pool': host, 'ntp-port': port }: MountFlags): MountRequest['timeServer'] {
  if (host === undefined && port === undefined) return undefined
  return { host: host ?? DEFAULT_TIME_SERVER.host, port: port ?? DEFAULT_TIME_SERVER.port }
}

function readKeyBits(flag: MountFlags['key-size']): KeyBits | undefined {
  return flag === undefined ? undefined : AES_BITS[flag]
}
