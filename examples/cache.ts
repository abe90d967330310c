/**
 * A cache: entries by name that expire.
 *
 *     npm run example cache
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { AteConfig, type Chain, ChainBuilder, dataType, mapOf, type ObjectKey, plain } from 'atefs'

const Entry = dataType('Entry', plain<{ value: string; expiresAt: Date }>())
// `mapOf`: children by name. Writers of different names never meet.
const Cache = dataType('Cache', plain<{ name: string }>(), { links: { entries: mapOf(Entry) } })

class TimedCache {
  readonly #chain: Chain
  readonly #key: ObjectKey

  private constructor(chain: Chain, key: ObjectKey) {
    this.#chain = chain
    this.#key = key
  }

  /** The cache of that name, made when there is none. */
  static async open(chain: Chain, name: string): Promise<TimedCache> {
    // The same name gives the same key, whenever and wherever.
    const key = chain.keyOfName('cache', name)
    await chain.transact(async (dio) => {
      if (!(await dio.exists(key))) dio.store({ name }, { type: Cache, key })
    })
    return new TimedCache(chain, key)
  }

  async get(name: string): Promise<string | undefined> {
    const { entries } = await this.#chain.dio().load(Cache, this.#key)
    const entry = await entries.get(name)
    return entry !== undefined && entry.expiresAt > this.#now() ? entry.value : undefined
  }

  /** Stores a value in place of the one before, if there was one. */
  async set(name: string, value: string, lifeMs: number): Promise<void> {
    await this.#chain.transact(async (dio) => {
      const { entries } = await dio.load(Cache, this.#key)
      entries.set(name, { value, expiresAt: new Date(this.#chain.nowMs() + lifeMs) })
    })
  }

  /** Deletes what has expired; returns how many there were. */
  async sweep(): Promise<number> {
    return this.#chain.transact(async (dio) => {
      const { entries } = await dio.load(Cache, this.#key)
      const expired: string[] = []
      for await (const [name, { expiresAt }] of entries) if (expiresAt <= this.#now()) expired.push(name)
      for (const name of expired) await entries.delete(name)
      return expired.length
    })
  }

  #now(): Date {
    return new Date(this.#chain.nowMs())
  }
}

await using chain = await new ChainBuilder(AteConfig.default()).open('cache')
const forecasts = await TimedCache.open(chain, 'forecasts')

await forecasts.set('Oslo', 'snow', 1000)
await forecasts.set('Rome', 'sun', 3_600_000)
console.log(`Oslo: ${await forecasts.get('Oslo')}`)

await sleep(1100)
console.log(`Oslo, later: ${await forecasts.get('Oslo')}`)
console.log(`Rome, later: ${await forecasts.get('Rome')}`)
console.log(`expired: ${await forecasts.sweep()}`)
