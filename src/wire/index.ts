/** The wire: connections between a client and a server over any transport. See docs/protocol.md. */
export type { Agreement } from './agreement.js'
export { type Compression, COMPRESSION_DEFLATE } from './compression.js'
export { Backoff, type BackoffOptions } from './backoff.js'
export { accept, type AcceptOptions, connect, type ConnectOptions } from './connect.js'
export type { CloseReason, Connection } from './connection.js'
export type { FormatName } from './format.js'
export { MAX_PACKET_BYTES } from './frame.js'
export { memoryTransports } from './memory-transport.js'
export type { WishedBits } from './offers.js'
export type { WireOptions } from './options.js'
export { type KnownServers, MemoryKnownServers, type PublishedKeys, type ServerTrust } from './server-trust.js'
export { parseServerKeyId, type PublicKey, type ServerKeyId, serverKeyId, type Signer, signerOf } from './signer.js'
export { systemTimers, type Timers } from './timers.js'
export type { Transport, TransportEvents } from './transport.js'
export {
  type ChainAddress,
  formatServerUrl,
  parseChainUrl,
  parseServerUrl,
  type ServerAddress,
  serverName,
  targetOf,
} from './url.js'
