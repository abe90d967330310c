/** What a program adds to its chains. */
import type { Chain } from './chain.js'
import type { PluginOf } from './hooks/plugin.js'

/**
 * A bundle of hooks with a life of its own. With every commit come, each in the order of the plugins: linters, validators,
 * transformers. Readers undo transformers in the reverse order.
 */
export type Plugin = PluginOf<Chain>
