/** What a server of chains is given. */
import type { CryptoProvider } from '../engine/crypto/provider.js'
import type { CompactionHint, TrustMode } from '../sync/index.js'
import type { VerifySignature } from '../engine/log/verify-signatures.js'
import type { Connection, Signer, Timers } from '../wire/index.js'
import type { ChainStores } from './chain-stores.js'

/** What somebody wants to do with a chain; with '' for `list`. */
export interface Wish {
  readonly kind: 'open' | 'create' | 'list'
  readonly chain: string
  readonly connection: Connection
}

export interface ServerLimits {
  /** Of one connection, in a second. */
  readonly requestsPerSecond: number
  /** Of batches that one connection brings to one chain, in a second. */
  readonly bytesPerSecond: number
  /** Batches of one chain that wait to be written, in bytes: whoever brings more waits. */
  readonly waitingBytes: number
  /** The latest batches of one chain that are kept in memory for who follows, in bytes. */
  readonly recentBytes: number
  /** Milliseconds after which a chain that nobody uses is closed. */
  readonly idleMs: number
  /** Milliseconds for which the turn of a lost connection is kept, and after which one that does nothing loses it. */
  readonly graceMs: number
  /** Milliseconds after which who waits for the turn is told that he waits in vain. */
  readonly turnWaitMs: number
  /** Of all connections: bytes of what is brought, until it is written. */
  readonly heldBytes: number
  /** Of all connections: about the bytes that wait for those who follow and read slowly. */
  readonly unsentBytes: number
}

export const DEFAULT_LIMITS: ServerLimits = {
  requestsPerSecond: 2000,
  bytesPerSecond: 1024 * 1024 * 1024,
  waitingBytes: 16 * 1024 * 1024,
  recentBytes: 8 * 1024 * 1024,
  idleMs: 60_000,
  graceMs: 10_000,
  turnWaitMs: 45_000,
  heldBytes: 768 * 1024 * 1024,
  unsentBytes: 256 * 1024 * 1024,
}

/** What a server tells whoever runs it. Never holds what users wrote. */
export interface ServerNotice {
  readonly level: 'info' | 'warn' | 'error'
  /** One sentence. */
  readonly message: string
  readonly chain?: string
  readonly code?: string
}

export interface ChainServerOptions {
  readonly crypto: CryptoProvider
  readonly stores: ChainStores
  /** 32 bytes, kept beside the chains: what the server itself writes is authenticated with keys derived from it. */
  readonly storageSecret: Uint8Array
  /** The server's identity key; a worker may have it. */
  readonly signer: Signer
  /** Of the chains that are made here; others are refused. */
  readonly trust: TrustMode
  /** Milliseconds since 1970. */
  readonly clock?: () => number
  readonly timers?: Timers
  /** Throws what is not allowed (`NOT_AUTHORIZED`); everything is without it. */
  readonly admit?: (wish: Wish) => void | Promise<void>
  readonly limits?: Partial<ServerLimits>
  /** In this thread without it. */
  readonly verify?: VerifySignature
  /** Clients are told: when they compact chains, unless their users say otherwise. */
  readonly compaction?: CompactionHint
  /** What clients have dropped stays where it is; its space is given back without it. */
  readonly keepsDropped?: boolean
  readonly onNotice?: (notice: ServerNotice) => void
}

/** Counted since the start, but for what is there now. */
export interface ServerCounts {
  readonly connections: number
  readonly openChains: number
  readonly channels: number
  readonly batchesTaken: number
  readonly bytesTaken: number
  readonly batchesSent: number
  readonly bytesSent: number
  readonly batchesRefused: number
}
