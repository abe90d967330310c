/** A client of chains that a server keeps: copies of them that follow it, and take turns in changing them. */
export { Arrivals } from './arrivals.js'
export { type ClientState, MAX_REMOTE_FILE_BYTES } from './client-state.js'
export { readClientState } from './read-client-state.js'
export {
  DEFAULT_RECOVERY_MODE,
  isSyncMode,
  parseRecoveryMode,
  type RecoveryMode,
  RECOVERY_MODES,
} from './recovery-mode.js'
export { RemoteChain } from './remote-chain.js'
export type { RemoteChainOptions, StartOptions, StateStore } from './remote-chain-options.js'
export { isPassing } from './remote-errors.js'
export { REMOTE_FILE } from './remote-file.js'
export { type LinkUser, RemoteLink, type RemoteLinkOptions } from './remote-link.js'
export { type HowToLock, type LockAnswer, RemoteLocks, type RemoteLocksOptions } from './remote-locks.js'
export type { RemoteStatus } from './remote-status.js'
export { trustAt, trustHere } from './served-chain.js'
export { Diverged } from './set-aside.js'
export { inTime } from './waiters.js'
