/** Where the chains of a program lie, and what opens them. Without a place they live in memory. */
import { AteError, type ErrorCode } from '../engine/error.js'
import type { ChainTrust } from '../engine/log/types.js'
import type { CompactionMode } from '../engine/chain/compaction/compaction-mode.js'
import type { ObjectCompactor } from '../engine/dio/compactor.js'
import type { RecoveryMode } from '../client/recovery-mode.js'
import type { KeyId, WriteKey } from '../engine/trust/keys.js'

export type { RecoveryMode }

/** What a configuration says; what it does not say has a default. */
export interface AteConfigOptions {
  /** Directory of chains: each lies in a directory of its name there. Undefined: chains live in memory and end with it. */
  logPath?: string
  /**
   * Directory, outside of `logPath`, where the last point of each chain is remembered, so that an older copy in its place is
   * refused (CHAIN_ROLLED_BACK). Undefined: `atefs/anchors` below XDG_STATE_HOME or `~/.local/state`.
   */
  anchorPath?: string
  /** Opens the chains, and protects those that are made. Undefined: the key of a chain lies beside it, in a 0600 file. */
  passphrase?: string
  /** Bits of the AES keys of chains that are made. The default is 256. */
  keyBits?: 128 | 192 | 256
  /** Who may change what has no rule of its own: for chains that are made; others must have just these. */
  rootKeys?: readonly (KeyId | WriteKey)[]
  /**
   * `distributed`: every batch is signed by who used a right for it, which anybody can verify, and whoever opens the chain
   * judges each by that. For chains that are made; others must have it. Without it: `local`, and of others whichever they have.
   */
  trust?: ChainTrust
  /** A batch of a chain of distributed trust was refused when it was opened or taken in: nothing of it counts. Told once. */
  onRefused?: (refused: RefusedBatch) => void
  /** Chains that are not there are not made: CHAIN_NOT_FOUND. */
  noCreate?: boolean
  /** Nothing is written; several programs may read a chain together while nobody writes. */
  readOnly?: boolean
  /**
   * Time servers that are asked in the background how far this machine's clock is off; `{}` for pool.ntp.org, port 123.
   * Undefined: none, and nothing goes over the network.
   */
  ntp?: { readonly pool?: string; readonly port?: number }
  /** How far time servers may correct the clock, and how far ahead times of others may lie. The default is 40,000. */
  clockToleranceMs?: number
  /** When the chain is compacted by itself. The default is 'growth-or-timer'. */
  compactMode?: CompactionMode
  /** For the modes with a timer: so long after the last compaction, in milliseconds. The default is an hour. */
  compactTimerMs?: number
  /** For factor and growth: the log has grown by this part of what the last compaction left. The default is 0.4. */
  compactThresholdFactor?: number
  /** For size and growth: the log has grown by so many bytes since the last compaction. The default is 100 MiB. */
  compactThresholdBytes?: number
  /** Compacts once, as soon as the chain is open. */
  compactBootstrap?: boolean
  /** Compacts once more when the chain is closed. */
  compactCleanup?: boolean
  /** Say what is needed no more, whenever the chain is compacted but for `compactCleanup`. See `compactor`. */
  compactors?: readonly ObjectCompactor[]
  /** Memory for fields that were read from the disk, those of more than 256 bytes. The default is 32 MiB. */
  bodyCacheBytes?: number
  /**
   * For chains of servers, whose copies lie below `logPath`, or in memory: what happens while the server is away. The default
   * is 'readonly-async'.
   */
  recoveryMode?: RecoveryMode
  /**
   * For chains of servers in memory: all content comes when the chain is opened. Without it fields of more than 256 bytes come when they are read
   * (BODY_AWAY while the server is away), unless a plugin has validators: they look at everything. Copies in directories have all of it.
   */
  loadsContent?: boolean
  /** The key that a server must have, 64 hexadecimal digits. Undefined: the one it had at first, which is remembered. */
  serverKey?: string
  /** Where keys of servers are remembered. Undefined: `atefs/known-servers` below XDG_STATE_HOME or `~/.local/state`. */
  knownServers?: string
  /** `ADDRESS[:PORT]` of the DNS server that is asked where servers are. Undefined: those of the system, and its file of hosts. */
  dnsServer?: string
  /** Takes only answers of the DNS server that it says to have validated (DNSSEC), and has servers' keys from there. */
  dnsSec?: boolean
  /** Bits of the AES keys of connections to servers, at least; 0 takes one in clear too. The default is 128. */
  wireEncryption?: 0 | 128 | 192 | 256
  /** Compresses connections to servers, where the server does too: for slow lines. Sealed contents do not shrink. The default is not to. */
  wireCompression?: boolean
  /** How messages to servers are spelled, where the server knows it: `json` can be read by people. The default is 'msgpack'. */
  wireFormat?: 'msgpack' | 'json'
  /**
   * Others went on with the chain of a server while this copy of it was changed without the server: what was made here is no part
   * of it, and is kept beside it. Called while the chain is opened; `listSetAside` tells later. Copies in memory keep nothing.
   */
  onSetAside?: (aside: SetAside) => void
  /** Called with what is worth a line to the user of the program, for example that an index is being rebuilt. */
  onNotice?: (message: string) => void
}

/** Commits that were made here and are no part of the chain, kept as the whole copy was with them. */
export interface SetAside {
  /** Address of the chain. */
  readonly url: string
  /** The first of their batches, in the history as it was here. */
  readonly first: number
  /** The last of their batches, as `first`. */
  readonly last: number
  /** Where the copy lies, as it was. */
  readonly path: string
}

/** A batch that its signers had no right to. */
export interface RefusedBatch {
  /** Its place in the history. */
  readonly sequence: number
  /** Why it was refused. */
  readonly code: ErrorCode
  /** What is wrong with it, for people. */
  readonly message: string
  /** The keys that signed it. */
  readonly signers: readonly KeyId[]
}

/** Their names, for programs that no compiler has checked. */
const OPTIONS: Record<keyof AteConfigOptions, true> = {
  logPath: true,
  anchorPath: true,
  passphrase: true,
  keyBits: true,
  rootKeys: true,
  trust: true,
  onRefused: true,
  noCreate: true,
  readOnly: true,
  ntp: true,
  clockToleranceMs: true,
  compactMode: true,
  compactTimerMs: true,
  compactThresholdFactor: true,
  compactThresholdBytes: true,
  compactBootstrap: true,
  compactCleanup: true,
  compactors: true,
  bodyCacheBytes: true,
  recoveryMode: true,
  serverKey: true,
  knownServers: true,
  dnsServer: true,
  dnsSec: true,
  wireEncryption: true,
  wireCompression: true,
  wireFormat: true,
  loadsContent: true,
  onSetAside: true,
  onNotice: true,
}

/** Where chains lie and what opens them; made of another one by `with`. */
export class AteConfig {
  /** What was given to `with`; what was not is undefined. */
  readonly options: Readonly<AteConfigOptions>

  private constructor(options: Readonly<AteConfigOptions>) {
    this.options = options
  }

  /** Chains in memory. */
  static default(): AteConfig {
    return new AteConfig({})
  }

  /** This configuration, changed. BAD_ARGUMENT for an option that there is none of. */
  with(options: AteConfigOptions): AteConfig {
    const unknown = Object.keys(options).find((name) => !Object.hasOwn(OPTIONS, name))
    if (unknown !== undefined)
      throw new AteError('BAD_ARGUMENT', `There is no option ${unknown}.`, {
        hint: `The options are ${Object.keys(OPTIONS).join(', ')}.`,
      })
    return new AteConfig({ ...this.options, ...options })
  }
}
