/** Chains of objects for tests, and the types that they share. */
import { nativeCrypto } from '../../src/adapters/node/native-crypto.js'
import { openMemoryChain, type MemoryChainOptions } from '../../src/engine/chain/memory-chain.js'
import { Chain } from '../../src/engine/dio/chain.js'
import type { Durability } from '../../src/engine/dio/commit-options.js'
import type { Dao, DaoMut } from '../../src/engine/dio/dao.js'
import { dataType } from '../../src/engine/dio/data-type.js'
import { Hooks } from '../../src/engine/dio/hooks/hooks.js'
import type { Plugin } from '../../src/engine/dio/plugin.js'
import { childOf, foreign, mapOf, vecOf, weakTo } from '../../src/engine/dio/link-definition.js'
import { plain } from '../../src/engine/dio/standard-schema.js'

export const Note = dataType('Note', plain<{ text: string }>())
export const Item = dataType('Item', plain<{ name: string; amount: number }>(), { index: ['name'] })
export const Owner = dataType('Owner', plain<{ name: string }>())
export const Box = dataType('Box', plain<{ label: string }>(), {
  links: {
    items: vecOf(Item),
    notes: mapOf(Note),
    cover: childOf(Note),
    owner: weakTo(Owner),
    elsewhere: foreign(),
  },
})

/** A chain in memory; reopened with the same storage and keys it goes on. */
export async function memoryChain(
  {
    durability = 'memory',
    crypto = nativeCrypto,
    ...options
  }: Partial<MemoryChainOptions> & { durability?: Durability } = {},
  plugins: readonly Plugin[] = [],
): Promise<Chain> {
  const hooks = new Hooks(plugins)
  const opened = await openMemoryChain({ crypto, ...options })
  return new Chain({
    name: 'test',
    view: opened.view,
    crypto,
    nowMs: options.clock ?? Date.now,
    durability,
    compact: () => opened.view.compact(),
    hooks,
    onClose: () => opened.close(),
  })
}

/** A box with items of these names, committed. */
export async function boxWith(chain: Chain, ...names: string[]): Promise<DaoMut<typeof Box>> {
  const dio = chain.dioMut()
  const box = dio.store({ label: 'box' }, { type: Box })
  for (const name of names) box.items.push({ name, amount: 1 })
  await dio.commit()
  return box
}

/** The names of what is in a box now, in their order. */
export async function namesIn(chain: Chain, box: { key: Dao<typeof Box>['key'] }): Promise<string[]> {
  const names: string[] = []
  for await (const { name } of (await chain.dio().load(Box, box.key)).items) names.push(name)
  return names
}

export async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
