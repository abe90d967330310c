/** What a server does: everything that the command line can say, with nothing left open. */
import type { CompactionTriggers } from '../engine/chain/compaction/compaction-mode.js'
import type { ServerAddress, WishedBits } from '../wire/index.js'
import type { LogLevel } from './log.js'

/** Below the logs: what is the server's own. No chain can be named so: what begins with ~ is refused in addresses. */
export const SERVER_DIRECTORY = '~server'

export interface ServerSettings {
  /** Directory of everything that it keeps. Absolute. */
  readonly logsPath: string
  /** What clients dial. The port is that which is listened on. */
  readonly url: ServerAddress
  /** Address that is bound. */
  readonly host: string
  /** PEM files. */
  readonly tls: { readonly certificate: string; readonly key: string } | undefined
  readonly trust: 'centralized' | 'distributed'
  /** The least that connections are encrypted with; 0 leaves it to clients. */
  readonly encryption: WishedBits
  /** Undefined: nobody is asked who may make a chain. */
  readonly auth: string | undefined
  /** File of the identity key. */
  readonly identityFile: string
  readonly backupPath: string | undefined
  readonly compaction: CompactionTriggers
  readonly nodes: {
    /** File that lists them. */
    readonly list: string | undefined
    readonly id: number | undefined
    readonly dnsServer: string | undefined
    readonly dnsSec: boolean
  }
  readonly log: { readonly level: LogLevel; readonly format: 'text' | 'json' }
}
