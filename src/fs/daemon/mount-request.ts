/** Everything a daemon must know to run one mount, but the secret: plain data, so that it can be handed to another process. */
import type { DriverOptions } from '../drivers/driver.js'
import type { CompactionPlan } from '../../adapters/node/compaction-schedule.js'
import type { TimeServer } from '../../adapters/node/sntp.js'
import type { RemoteRequest } from './remote-request.js'
import type { KeyBits } from '../../adapters/node/chain-handle.js'

export type DriverChoice = 'auto' | 'direct' | 'fuse-native'

export interface MountRequest {
  /** Absolute, without symbolic links, ready (`prepareMountpoint`). */
  mountpoint: string
  /** The chain's name and its directory. */
  chain: string
  directory: string
  /** The chain is absent and is made, with keys of `keyBits` (default 256). */
  create: boolean
  /** For a chain that exists: it must have been made with it. */
  keyBits?: KeyBits | undefined
  /** Undefined for `--temp`. */
  anchorDirectory?: string | undefined
  /** `--temp`: removed at the end, with everything in it. */
  temporaryDirectory?: string | undefined
  runtimeDirectory: string
  readOnly: boolean
  allowDamage: boolean
  acceptRollback: boolean
  /** Undefined: never. */
  compaction?: CompactionPlan | undefined
  /** Asked now and then how far the machine's clock is off; undefined: nobody is. */
  timeServer?: TimeServer | undefined
  /** The chain is one of a server; `directory` has the copy of it. */
  remote?: RemoteRequest | undefined
  driver: DriverChoice
  driverOptions: Pick<DriverOptions, 'fsName' | 'allowOther' | 'allowRoot' | 'kernelOptions' | 'uid' | 'gid' | 'umask'>
}
