/** atefs in browsers: the same library, for chains in memory. Nothing of Node is in it. See docs/guide.md. */
import './browser/dispose-symbols.js'
export * from './objects.js'
export { ChainBuilder } from './browser/chain-builder.js'
