/** The plugins of a chain as it uses them: their hooks in order, and their lives. */
import { AteError } from '../../error.js'
import type { Change } from './change.js'
import { type NamedValidator } from './judge.js'
import { type Labels, withLabels } from './labels.js'
import type { Linter, PluginOf } from './plugin.js'
import type { Who } from './proposed-commit.js'
import { type TimeLimit, within } from './time-limit.js'
import { TransformerChain } from './transforms.js'

const DEFAULT_TIMEOUT_MS = 10_000
/** Labels, ids, and what transformers may add. */
const OVERHEAD_BYTES = 3 * 1024

/** `C`: the chain that they are opened with; whoever only asks them needs not know it. */
export class Hooks<C = never> {
  readonly validators: readonly NamedValidator[]
  readonly transformers: TransformerChain
  readonly #linters: readonly { readonly name: string; readonly lint: Linter }[]
  readonly #plugins: readonly PluginOf<C>[]
  /** Those that are open. */
  #open: PluginOf<C>[] = []

  /** BAD_ARGUMENT for two plugins of one name, and impossible transformers. */
  constructor(plugins: readonly PluginOf<C>[] = []) {
    const names = plugins.map(({ name }) => name)
    if (new Set(names).size !== names.length) throw new AteError('BAD_ARGUMENT', 'Two plugins have the same name.')
    this.#plugins = plugins
    this.#linters = plugins.flatMap(({ name, linters = [] }) => linters.map((lint) => ({ name, lint })))
    this.validators = plugins.flatMap(({ name, validators = [], timeoutMs = DEFAULT_TIMEOUT_MS }) =>
      validators.map((validate) => ({ name, validate, timeoutMs })),
    )
    this.transformers = new TransformerChain(plugins.flatMap(({ transformers = [] }) => transformers))
  }

  /** Commits are nobody's business. */
  get isEmpty(): boolean {
    return !this.hasLinters && this.validators.length === 0 && this.transformers.isEmpty
  }

  /** What linters and transformers may add to the record of an object. */
  get overheadBytes(): number {
    return this.hasLinters || !this.transformers.isEmpty ? OVERHEAD_BYTES : 0
  }

  get hasLinters(): boolean {
    return this.#linters.length > 0
  }

  /** What the linters make of the labels of an object; `changeWith` is it with the labels given so far. HOOK_FAILED. */
  lint(labels: Labels, changeWith: (labels: Labels) => Change, who: Who): Labels {
    let all = labels
    for (const { name, lint } of this.#linters) {
      try {
        const given = lint(changeWith(all), who)
        if (given !== undefined) all = withLabels(all, given)
      } catch (error) {
        throw new AteError('HOOK_FAILED', `A linter of the plugin ${name} failed.`, { cause: error })
      }
    }
    return all
  }

  /** HOOK_FAILED, TIMED_OUT, ABORTED; those that were opened are to be closed then, too. */
  async open(chain: C, signal?: AbortSignal): Promise<void> {
    for (const plugin of this.#plugins) {
      this.#open.push(plugin)
      await within(limitsOf(plugin, signal), (ended) => plugin.open?.(chain, ended))
    }
  }

  /** Closes all; returns what the first one failed with: the chain is closed all the same. */
  async close(chain: C): Promise<unknown> {
    let failure: unknown
    for (let plugin = this.#open.pop(); plugin !== undefined; plugin = this.#open.pop()) {
      const { close } = plugin
      if (close === undefined) continue
      try {
        await within(limitsOf(plugin, undefined), (ended) => close(chain, ended))
      } catch (error) {
        failure ??= error
      }
    }
    return failure
  }
}

function limitsOf(
  { name, timeoutMs = DEFAULT_TIMEOUT_MS }: Pick<PluginOf<never>, 'name' | 'timeoutMs'>,
  signal: AbortSignal | undefined,
): TimeLimit {
  return { name, timeoutMs, signal }
}
