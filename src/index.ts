/** atefs as a library: chains of typed objects, encrypted, verified and crash-safe. See docs/guide.md. */
export * from './objects.js'
export { verifyAuthors, type VerifiedBatch } from './library/authors.js'
export * from './library/copies.js'
export { checkForkEvidence, type ForkReport } from './library/fork-evidence.js'
export { ChainBuilder } from './library/chain-builder.js'
export type { OpenOptions, OpenProgress } from './library/open-options.js'
export { compression } from './library/compression.js'
export { type ChainUse, Registry, type RegistryOptions } from './library/registry.js'
