/** A chain that a server keeps, as a mount is asked for it: plain data, so that it can be handed to another process. */
import type { RecoveryMode } from '../../client/index.js'

export interface RemoteRequest {
  /** The chain's whole address: `ws://server:5000/db/mychain`. */
  url: string
  recoveryMode: RecoveryMode
  /** The server's key, 64 hexadecimal digits; absent: the one that is known, or remembered at first use. */
  serverKey?: string | undefined
  /** As `--dns-server` and `--dns-sec` say. */
  dnsServer?: string | undefined
  dnsSec?: boolean | undefined
  /** What the connection is to be like; absent: encrypted with 128 bits at least, not compressed. */
  wire: { wireEncryption?: 0 | 128 | 192 | 256; wireCompression?: boolean }
  /** File of the servers' keys that are known. */
  knownServers: string
  /** A chain that the server has not is not made. */
  noCreate: boolean
}
