/** The log: an append-only, sealed, hash-chained sequence of batches. */
export { macAuthor, signingAuthor, type BatchAuthor } from './batch-author.js'
export { describeChain, type ChainDescription } from './describe-chain.js'
export { GroupReader, type GroupAddress, type GroupReaderOptions } from './group-reader.js'
export type { Log } from './log.js'
export { MemoryStorage } from './memory-storage.js'
export { createLog, openLog, type OpenedLog, type OpenLogOptions } from './open-log.js'
export { damageText } from './replay.js'
export { verifyLog, type VerifyLogOptions } from './verify-log.js'
