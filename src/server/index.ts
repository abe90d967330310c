/** A server of chains. See docs/protocol.md, section 8. */
export { ChainServer } from './chain-server.js'
export { RelayLog, type RelayOptions } from './relay-log.js'
export type { ChainStore, ChainStores } from './chain-stores.js'
export {
  type ChainServerOptions,
  DEFAULT_LIMITS,
  type ServerCounts,
  type ServerLimits,
  type ServerNotice,
  type Wish,
} from './options.js'
export { loadDropped, saveDropped } from './dropped-file.js'
