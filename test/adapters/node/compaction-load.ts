/**
 * Compactions back to back beside many small commits and flushes of the index, in a directory, with the commit worker: nothing
 * is lost or mixed up, all of it ends in bounded time, and what is left verifies.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { ChainHandle, CreateChainOptions } from '../../../src/adapters/node/chain-handle.js'
import { FileStorage } from '../../../src/adapters/node/file-storage.js'
import { nativeCrypto } from '../../../src/adapters/node/native-crypto.js'
import { createChain, openChain } from '../../../src/adapters/node/open-chain.js'
import { Chain } from '../../../src/engine/dio/chain.js'
import type { ObjectKey } from '../../../src/engine/dio/object-key.js'
import { verifyLog } from '../../../src/engine/log/index.js'
import { checkFileSystem } from '../../../src/fs/vfs/check/check.js'
import { openFileSystem } from '../../../src/fs/vfs/open.js'
import { ROOT_INO } from '../../../src/fs/vfs/types.js'
import { Note } from '../../helpers/objects.js'
import { makeFile, nameOf, NAME_KEY, readAll, USER } from '../../helpers/open-memory-fs.js'
import { seededRandom } from '../../helpers/seeded-random.js'
import { projectRoot } from '../../helpers/source-files.js'

const SESSIONS = 3
const WRITERS = 8
const COMMITS = process.env['ATEFS_TEST_LONG'] === undefined ? 30 : 1500
const LIMIT_MS = COMMITS * SESSIONS * 500

function optionsIn(t: Test, references: string): CreateChainOptions {
  const base = mkdtempSync(join(tmpdir(), 'atefs-load-'))
  t.teardown(() => rmSync(base, { recursive: true }))
  return {
    directory: join(base, 'chain'),
    secret: { kind: 'key-file' },
    anchorDirectory: join(base, 'anchors'),
    readOnly: false,
    allowDamage: false,
    acceptRollback: false,
    keyBits: 256,
    referencesModule: new URL(references, `file://${projectRoot}/`).href,
    onProgress: () => undefined,
    onNotice: (message) => t.fail(message),
  }
}

/** Compacts again and again until `work` has ended. Returns how many bodies were dropped. */
async function compactDuring(chain: ChainHandle, work: Promise<unknown>): Promise<{ rounds: number; bodies: number }> {
  const end = new AbortController()
  const watched = work.finally(() => end.abort())
  watched.catch(() => undefined)
  const total = { rounds: 0, bodies: 0 }
  while (!end.signal.aborted) {
    total.bodies += (await chain.compact()).bodies
    total.rounds++
  }
  await watched
  return total
}

/** Everything in the log verifies, and damage is only what nothing refers to. */
async function checkLog(t: Test, { directory }: CreateChainOptions, chain: ChainHandle): Promise<void> {
  const storage = new FileStorage(directory)
  for await (const { message } of verifyLog({ storage, crypto: nativeCrypto, keys: chain.keys })) t.fail(message)
}

await t.test('objects that many transactions store, change and delete', async (t) => {
  const options = optionsIn(t, 'src/engine/dio/references.js')
  const texts = Array.from({ length: WRITERS }, () => new Map<ObjectKey, string>())
  const begunMs = Date.now()
  let dropped = 0
  let compactions = 0
  for (let session = 0; session < SESSIONS; session++) {
    const handle = await (session === 0 ? createChain(options) : openChain(options))
    const chain = objectsOf(handle)
    const write = async (own: Map<ObjectKey, string>, writer: number): Promise<void> => {
      const random = seededRandom(session * 100 + writer)
      const pick = (count: number): number => Math.floor(random() * count)
      for (let commit = 0; commit < COMMITS; commit++) {
        const text = `${session} ${writer} ${commit} `.padEnd(pick(4) === 0 ? pick(80_000) : pick(6000), 'text')
        const key = [...own.keys()][pick(own.size + 10)]
        if (key === undefined) {
          own.set((await chain.transact((dio) => dio.store({ text }, { type: Note }))).key, text)
        } else if (pick(2) === 0) {
          await chain.transact(async (dio) => void ((await dio.load(Note, key)).text = text))
          own.set(key, text)
        } else {
          await chain.transact(async (dio) => {
            if ((await dio.load(Note, key)).text !== own.get(key)) throw new Error('other fields')
            dio.delete(key)
          })
          own.delete(key)
        }
      }
    }
    const { rounds, bodies } = await compactDuring(handle, Promise.all(texts.map(write)))
    compactions += rounds
    dropped += bodies
    for (const own of texts)
      for (const [key, text] of own)
        if ((await chain.dio().load(Note, key)).text !== text) return t.fail('an object has other fields')
    t.equal(
      [...chain.dio().rootKeys(Note)].length,
      texts.reduce((sum, { size }) => sum + size, 0),
    )
    await checkLog(t, options, handle)
    await chain.close()
  }
  t.ok(compactions > SESSIONS, `${compactions} compactions`)
  t.ok(dropped > 50, `${dropped} bodies were dropped`)
  t.ok(Date.now() - begunMs < LIMIT_MS, `${Date.now() - begunMs} ms`)
})

await t.test('files that are made, written and removed, each with a sync', async (t) => {
  const options = optionsIn(t, 'src/fs/vfs/records/references.js')
  const begunMs = Date.now()
  const files = new Map<string, string>()
  let dropped = 0
  let compactions = 0
  for (let session = 0; session < SESSIONS; session++) {
    const chain = await (session === 0 ? createChain(options) : openChain(options))
    const { view } = chain
    const fs = await openFileSystem({ view, options: { nameKey: NAME_KEY, onWarning: (message) => t.fail(message) } })
    const write = async (writer: number): Promise<void> => {
      const random = seededRandom(session * 100 + writer)
      const pick = (count: number): number => Math.floor(random() * count)
      for (let commit = 0; commit < COMMITS; commit++) {
        const name = `${writer} ${pick(20)}`
        if (files.delete(name)) await fs.unlink(ROOT_INO, nameOf(name), USER)
        else {
          const content = `${session} ${writer} ${commit} `.padEnd(pick(4) === 0 ? pick(90_000) : pick(3000), 'text')
          await makeFile(fs, ROOT_INO, name, content)
          files.set(name, content)
        }
        await fs.sync()
      }
    }
    const writers = Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)))
    const { rounds, bodies } = await compactDuring(chain, writers)
    compactions += rounds
    dropped += bodies
    for (const [name, content] of files) {
      const found = fs.lookup(ROOT_INO, nameOf(name))
      if (found === undefined || String(await readAll(fs, found.ino)) !== content)
        return t.fail(`${name} is not as it was`)
    }
    for await (const { message } of checkFileSystem({ view, nameKey: NAME_KEY })) t.fail(message)
    await checkLog(t, options, chain)
    await fs.close()
    await chain.close()
  }
  t.ok(compactions > SESSIONS, `${compactions} compactions`)
  t.ok(dropped > 50, `${dropped} bodies were dropped`)
  t.ok(Date.now() - begunMs < LIMIT_MS, `${Date.now() - begunMs} ms`)
})

function objectsOf(handle: ChainHandle): Chain {
  return new Chain({
    name: 'load',
    view: handle.view,
    crypto: nativeCrypto,
    nowMs: Date.now,
    durability: 'local',
    compact: () => handle.compact(),
    onClose: () => handle.close(),
  })
}
