/** Trees of any depth are read, changed and judged, and a knot that somebody has tied is found out. */
import t from 'tap'
import { nativeCrypto } from '../../../src/adapters/node/native-crypto.js'
import { ancestors } from '../../../src/engine/dio/access.js'
import { dataType } from '../../../src/engine/dio/data-type.js'
import { vecOf } from '../../../src/engine/dio/link-definition.js'
import type { KeyParts } from '../../../src/engine/dio/object-key.js'
import { plain } from '../../../src/engine/dio/standard-schema.js'
import { ReadKey, WriteKey } from '../../../src/engine/trust/keys.js'
import { readBy, writeBy } from '../../../src/engine/trust/rules.js'
import { AteSession } from '../../../src/engine/trust/session.js'
import { memoryChain } from '../../helpers/objects.js'

const DEPTH = 12_000
const Folder = dataType('Folder', plain<{ depth: number }>(), {
  links: {
    get folders() {
      return vecOf(Folder)
    },
  },
})

await t.test('under rules an object is read, changed and added to however deep it lies', async (t) => {
  const [read, write] = [ReadKey.generate(nativeCrypto), WriteKey.generate(nativeCrypto)]
  const session = new AteSession({ readKeys: [read], writeKeys: [write] })
  await using chain = await memoryChain()
  const dio = chain.dioMut(session)
  const top = dio.store({ depth: 0 }, { type: Folder })
  dio.protect(top, { read: readBy.only(read), write: writeBy.only(write) })
  let bottom = top
  for (let depth = 1; depth <= DEPTH; depth++) bottom = bottom.folders.push({ depth })
  await dio.commit()
  await chain.transact(
    async (dio) => {
      const deepest = await dio.load(Folder, bottom.key)
      deepest.depth++
      deepest.folders.push({ depth: -1 })
      await t.rejects((async () => deepest.folders.attach(await dio.load(Folder, top.key)))(), { code: 'CYCLE' })
    },
    { session },
  )
  const found = await chain.dio(session).load(Folder, bottom.key)
  t.equal(found.depth, DEPTH + 1)
  t.equal((await found.folders.at(0))?.depth, -1)
  await t.rejects(chain.dio().load(Folder, bottom.key), { code: 'NO_READ_KEY' })
  await t.rejects(
    chain.transact((dio) => dio.delete(bottom.key)),
    { code: 'NOT_AUTHORIZED' },
  )
  await chain.transact((dio) => dio.delete(top.key), { session })
  t.notOk(await chain.dio(session).exists(bottom.key))
})

t.test('whatever lies below itself is found out in a few rounds', (t) => {
  for (const [tail, knot] of [
    [0, 1],
    [1, 1],
    [5, 3],
    [100, 1000],
    [1000, 7],
  ] as const) {
    const look = ({ low }: KeyParts) => {
      const next = low + 1 < tail + knot ? low + 1 : tail
      return { parent: { key: { high: 0, low: next }, collection: 1, place: 1 } }
    }
    let steps = 0
    t.throws(
      () => {
        for (const [,] of ancestors({ high: 0, low: 0 }, look)) steps++
      },
      { code: 'PARENT_NOT_FOUND' },
    )
    t.ok(steps >= tail + knot && steps <= 6 * (tail + knot), `${steps} steps for ${tail} and ${knot}`)
  }
  t.end()
})
