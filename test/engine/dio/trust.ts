/** Who may read and who may change, and every way around it that the original left open. */
import { inspect } from 'node:util'
import t from 'tap'
import { nativeCrypto as crypto } from '../../../src/adapters/node/native-crypto.js'
import type { Chain } from '../../../src/engine/dio/chain.js'
import { dataType } from '../../../src/engine/dio/data-type.js'
import { vecOf } from '../../../src/engine/dio/link-definition.js'
import { objectKey } from '../../../src/engine/dio/object-key.js'
import { service } from '../../../src/engine/dio/service.js'
import { plain } from '../../../src/engine/dio/standard-schema.js'
import { MemoryStore } from '../../../src/engine/index/memory-store.js'
import { MemoryStorage } from '../../../src/engine/log/memory-storage.js'
import { keyIdOf, ReadKey, WriteKey } from '../../../src/engine/trust/keys.js'
import { readBy, writeBy } from '../../../src/engine/trust/rules.js'
import { AteSession } from '../../../src/engine/trust/session.js'
import { keys } from '../../helpers/log-workbench.js'
import { onEveryChain } from '../../helpers/every-chain.js'
import { Box, collected, memoryChain } from '../../helpers/objects.js'

const Page = dataType('Page', plain<{ text: string }>(), { index: ['text'] })
const Diary = dataType('Diary', plain<{ title: string }>(), { links: { pages: vecOf(Page) } })

const person = (name: string) => {
  const [read, write] = [ReadKey.generate(crypto), WriteKey.generate(crypto)]
  return { read, write, session: new AteSession({ identity: name, readKeys: [read], writeKeys: [write] }) }
}
const ann = person('ann')
const bob = person('bob')
const eve = person('eve')

/** Ann's diary with one page: only she reads and writes it. */
async function annsDiary(chain: Chain) {
  const dio = chain.dioMut(ann.session)
  const diary = dio.store({ title: 'secret title' }, { type: Diary })
  const page = diary.pages.push({ text: 'secret text' })
  dio.protect(diary, { read: readBy.only(ann.read), write: writeBy.only(ann.write) })
  await dio.commit()
  return { diary: diary.key, page: page.key }
}

async function textOf(chain: Chain, session: AteSession, key: Parameters<ReturnType<Chain['dio']>['load']>[1]) {
  return (await chain.dio(session).load(Page, key)).text
}

await t.test('who holds the key reads and writes, what lies below too; nobody else does', async (t) => {
  const options = { storage: new MemoryStorage(), store: new MemoryStore(), keys }
  const first = await memoryChain(options)
  const { diary, page } = await annsDiary(first)
  await first.close()
  for (const store of [options.store, new MemoryStore()]) {
    const chain = await memoryChain({ ...options, store })
    t.equal(await textOf(chain, ann.session, page), 'secret text')
    await t.rejects(chain.dio(eve.session).load(Diary, diary), { code: 'NO_READ_KEY' })
    await t.rejects(textOf(chain, eve.session, page), { code: 'NO_READ_KEY' })
    const dio = chain.dioMut(ann.session)
    ;(await dio.load(Page, page)).text = 'secret text'
    ;(await dio.load(Diary, diary)).pages.push({ text: 'more' })
    await dio.commit()
    await chain.close()
  }
})

await onEveryChain('listings leave out what cannot be read, and are not broken by it', async (t, open) => {
  await using chain = await open()
  await annsDiary(chain)
  const dio = chain.dioMut()
  dio.store({ title: 'open' }, { type: Diary })
  await dio.commit()
  t.strictSame((await collected(chain.dio(eve.session).roots(Diary))).map(({ title }) => title), ['open']) // prettier-ignore
  t.equal((await collected(chain.dio(ann.session).roots(Diary))).length, 2)
})

await onEveryChain('a change needs a key of the rule that was in force, and is refused whole', async (t, open) => {
  await using chain = await open()
  const { diary, page } = await annsDiary(chain)
  const both = new AteSession({ identity: 'reader', readKeys: [ann.read], writeKeys: [eve.write] })
  const attempts: ((dio: ReturnType<Chain['dioMut']>) => Promise<unknown>)[] = [
    async (dio) => ((await dio.load(Page, page)).text = 'forged'),
    async (dio) => (await dio.load(Diary, diary)).pages.push({ text: 'forged' }),
    async (dio) => dio.delete(page),
    async (dio) => dio.delete(diary),
    async (dio) => dio.detach(page),
    async (dio) => dio.protect(await dio.load(Diary, diary), { write: writeBy.everyone }),
    async (dio) => dio.protect(await dio.load(Page, page), { write: writeBy.only(eve.write) }),
  ]
  for (const attempt of attempts) {
    const dio = chain.dioMut(both)
    const other = dio.store({ text: 'harmless' }, { type: Page })
    await attempt(dio)
    await t.rejects(dio.commit(), { code: 'NOT_AUTHORIZED' })
    t.notOk(await chain.dio().exists(other.key), 'nothing of it has happened')
  }
  t.equal(await textOf(chain, ann.session, page), 'secret text')
})

await onEveryChain('attack: an object is not taken over by naming one’s own node as its parent', async (t, open) => {
  await using chain = await open()
  const { page } = await annsDiary(chain)
  const eves = chain.dioMut(eve.session)
  const mine = eves.store({ title: 'eve' }, { type: Diary })
  eves.protect(mine, { write: writeBy.only(eve.write) })
  await eves.commit()
  const reader = new AteSession({ identity: 'eve', readKeys: [ann.read], writeKeys: [eve.write] })
  const dio = chain.dioMut(reader)
  ;(await dio.load(Diary, mine.key)).pages.attach(await dio.load(Page, page))
  await t.rejects(dio.commit(), { code: 'NOT_AUTHORIZED' })
  t.equal(await textOf(chain, ann.session, page), 'secret text')
})

await onEveryChain('attack: nor is anything put below somebody else’s node', async (t, open) => {
  await using chain = await open()
  const { diary } = await annsDiary(chain)
  const dio = chain.dioMut(new AteSession({ readKeys: [ann.read], writeKeys: [eve.write] }))
  const mine = dio.store({ text: 'eve’s' }, { type: Page })
  ;(await dio.load(Diary, diary)).pages.attach(mine)
  await t.rejects(dio.commit(), { code: 'NOT_AUTHORIZED' })
  await t.rejects(chain.dio(ann.session).load(Page, mine.key), { code: 'NOT_FOUND' })
})

await onEveryChain('attack: what is protected late in a transaction is never stored unprotected', async (t, open) => {
  await using chain = await open()
  const dio = chain.dioMut(ann.session)
  const diary = dio.store({ title: 'title' }, { type: Diary })
  const page = diary.pages.push({ text: 'text' })
  // Everything that makes a transaction look at its own changes.
  await collected(diary.pages)
  await collected(dio.roots(Diary))
  t.equal((await collected(dio.find(Page, 'text', 'text'))).length, 1)
  dio.protect(diary, { read: readBy.only(ann.read) })
  await dio.commit()
  for (const key of [diary.key, page.key])
    await t.rejects(chain.dio(eve.session).load(key === page.key ? Page : Diary, key), { code: 'NO_READ_KEY' })
  t.equal(
    (await collected(chain.dio(ann.session).find(Page, 'text', 'text'))).length,
    0,
    'nor can its value be guessed',
  )
})

await onEveryChain('attack: a protected object that was deleted is not made again by others', async (t, open) => {
  await using chain = await open()
  const key = objectKey('00000000002000000000ab')
  const dio = chain.dioMut(ann.session)
  const page = dio.store({ text: 'mine' }, { type: Page, key })
  dio.protect(page, { write: writeBy.only(ann.write) })
  await dio.commit()
  dio.delete(key)
  await dio.commit()
  t.notOk(await chain.dio().exists(key))
  for (const { session } of [eve, ann]) {
    const again = chain.dioMut(session)
    again.store({ text: 'again' }, { type: Page, key })
    await t.rejects(again.commit(), { code: 'ALREADY_DELETED' })
  }
  t.strictSame(await collected(chain.dio().roots(Page)), [])
})

await onEveryChain('attack: what comes with the same commit cannot open the door for itself', async (t, open) => {
  await using chain = await open()
  const { diary } = await annsDiary(chain)
  const dio = chain.dioMut(new AteSession({ readKeys: [ann.read], writeKeys: [eve.write] }))
  const loaded = await dio.load(Diary, diary)
  dio.protect(loaded, { write: writeBy.only(eve.write) })
  loaded.pages.push({ text: 'forged' })
  await t.rejects(dio.commit(), { code: 'NOT_AUTHORIZED' })
})

await onEveryChain('what is nobody’s stays as it is', async (t, open) => {
  await using chain = await open()
  const dio = chain.dioMut(ann.session)
  const page = dio.store({ text: 'carved in stone' }, { type: Page })
  dio.protect(page, { write: writeBy.nobody })
  await dio.commit()
  const again = chain.dioMut(ann.session)
  ;(await again.load(Page, page.key)).text = 'changed'
  await t.rejects(again.commit(), { code: 'NOT_AUTHORIZED' })
  const deletes = chain.dioMut(ann.session)
  deletes.delete(page.key)
  await t.rejects(deletes.commit(), { code: 'NOT_AUTHORIZED' })
})

await onEveryChain('any of several keys will do', async (t, open) => {
  await using chain = await open()
  const dio = chain.dioMut(ann.session)
  const page = dio.store({ text: '1' }, { type: Page })
  dio.protect(page, { read: readBy.only(ann.read, bob.read), write: writeBy.only(ann.write, bob.write) })
  await dio.commit()
  const bobs = chain.dioMut(bob.session)
  ;(await bobs.load(Page, page.key)).text = '2'
  await bobs.commit()
  t.equal(await textOf(chain, ann.session, page.key), '2')
  await t.rejects(textOf(chain, eve.session, page.key), { code: 'NO_READ_KEY' })
})

await onEveryChain(
  'who joins reads what was written before; who leaves cannot read what is written after',
  async (t, open) => {
    await using chain = await open()
    const { diary, page } = await annsDiary(chain)
    const protect = async (...readers: ReadKey[]) => {
      const dio = chain.dioMut(ann.session)
      dio.protect(await dio.load(Diary, diary), { read: readBy.only(...readers) })
      await dio.commit()
    }
    await protect(ann.read, bob.read)
    t.equal(await textOf(chain, bob.session, page), 'secret text', 'without being sealed again')
    await protect(ann.read)
    const dio = chain.dioMut(ann.session)
    const later = (await dio.load(Diary, diary)).pages.push({ text: 'later' })
    await dio.commit()
    await t.rejects(textOf(chain, bob.session, later.key), { code: 'NO_READ_KEY' })
    t.equal(await textOf(chain, ann.session, later.key), 'later')
    t.equal(await textOf(chain, ann.session, page), 'secret text')
  },
)

await t.test('without a rule who holds a root key may change, and a chain keeps its root keys', async (t) => {
  const options = { storage: new MemoryStorage(), keys }
  const chain = await memoryChain(options)
  await chain.pinRootKeys([ann.write.id])
  const eves = chain.dioMut(eve.session)
  eves.store({ text: 'x' }, { type: Page })
  await t.rejects(eves.commit(), { code: 'NOT_AUTHORIZED' })
  const anns = chain.dioMut(ann.session)
  const page = anns.store({ text: 'ann' }, { type: Page })
  anns.protect(page, { write: writeBy.only(bob.write) })
  await anns.commit()
  await chain.close()
  await using again = await memoryChain(options)
  await again.pinRootKeys([ann.write.id])
  await t.rejects(again.pinRootKeys([eve.write.id]), { code: 'NOT_AUTHORIZED' })
  const bobs = again.dioMut(bob.session)
  ;(await bobs.load(Page, page.key)).text = 'bob'
  await bobs.commit()
  const annAgain = again.dioMut(ann.session)
  ;(await annAgain.load(Page, page.key)).text = 'ann again'
  await t.rejects(annAgain.commit(), { code: 'NOT_AUTHORIZED' }, 'its own rule comes first')
})

await t.test('a session holds what its groups and its sudo hold, until it expires', async (t) => {
  let now = 1000
  await using chain = await memoryChain({ clock: () => now })
  const { page } = await annsDiary(chain)
  const inGroup = new AteSession({ identity: 'member', groups: [ann.session] })
  const sudo = new AteSession({
    identity: 'admin',
    sudo: new AteSession({ ...{ readKeys: [ann.read] }, expiresAtMs: 2000 }),
  })
  t.equal(await textOf(chain, inGroup, page), 'secret text')
  t.equal(await textOf(chain, sudo, page), 'secret text')
  now = 3000
  await t.rejects(textOf(chain, sudo, page), { code: 'NO_READ_KEY' })
  const expired = chain.dioMut(new AteSession({ writeKeys: [ann.write], expiresAtMs: 2000 }))
  expired.store({ text: 'x' }, { type: Page })
  await t.rejects(expired.commit(), { code: 'SESSION_EXPIRED' })
  t.notMatch(JSON.stringify([ann.read, ann.write, inGroup, ann.session]), Buffer.from(ann.read.bytes).toString('hex'))
})

await t.test('what a session has opened is closed to it when it expires, or when its sudo does', async (t) => {
  let now = 1000
  await using chain = await memoryChain({ clock: () => now })
  const { diary, page } = await annsDiary(chain)
  const options = { readKeys: [ann.read], writeKeys: [ann.write], expiresAtMs: 2000 }
  const lent = new AteSession({ sudo: new AteSession(options) })
  const group = new AteSession({ sudo: new AteSession(options), groups: [ann.session] })
  const sessions = [new AteSession(options), lent]
  const dios = sessions.flatMap((session) => [chain.dio(session), chain.dioMut(session)])
  const member = chain.dio(group)
  for (const dio of [...dios, member]) t.equal((await dio.load(Page, page)).text, 'secret text')
  now = 2000
  for (const dio of dios) await t.rejects(dio.load(Diary, diary), { code: 'NO_READ_KEY' })
  t.equal((await member.load(Diary, diary)).title, 'secret title', 'another key of his opens it still')
})

await onEveryChain(
  'a key that was made for a rule is forgotten with it, and takes the place of no other',
  async (t, open) => {
    await using chain = await open()
    const { diary, page } = await annsDiary(chain)
    const change = async (dio: ReturnType<Chain['dioMut']>, ...readers: ReadKey[]) =>
      dio.protect(await dio.load(Diary, diary), { read: readBy.only(...readers) })
    await chain.transact((dio) => change(dio, ann.read, bob.read), { session: ann.session })
    const late = chain.dioMut(ann.session)
    await change(late, ann.read)
    const other = chain.dioMut(ann.session)
    await change(other, ann.read)
    ;(await other.load(Page, page)).text = 'sealed with the key of the other'
    await other.commit()
    await t.rejects(late.commit(), { code: 'CONFLICT' })
    await change(late, ann.read, eve.read)
    await late.commit()
    for (const { session } of [ann, eve])
      t.equal(await textOf(chain, session, page), 'sealed with the key of the other')
  },
)

await t.test(
  'a rule has no more keys than can be read again: 256 are, one more is refused and changes nothing',
  async (t) => {
    const options = { storage: new MemoryStorage(), store: new MemoryStore(), keys }
    const first = await memoryChain(options)
    const readers = [ann.read, ...Array.from({ length: 256 }, () => ReadKey.generate(crypto))]
    const writers = [ann.write.id, ...Array.from({ length: 256 }, () => keyIdOf(crypto.randomBytes(32)))]
    const tooMany = { code: 'BAD_ARGUMENT', message: /257 keys/ }
    await t.rejects(first.pinRootKeys(writers), tooMany)
    await first.pinRootKeys(writers.slice(0, 256))
    const dio = first.dioMut(ann.session)
    const diary = dio.store({ title: 'for many' }, { type: Diary })
    t.throws(() => dio.protect(diary, { read: readBy.only(...readers) }), tooMany)
    t.throws(() => dio.protect(diary, { read: readBy.only(ann.read), write: writeBy.only(...writers) }), tooMany)
    await dio.commit()
    t.equal((await first.dio(eve.session).load(Diary, diary.key)).title, 'for many', 'no rule came of what was refused')
    const many = { read: readBy.only(...readers.slice(0, 256)), write: writeBy.only(...writers.slice(0, 256)) }
    await first.transact(async (again) => again.protect(await again.load(Diary, diary.key), many), {
      session: ann.session,
    })
    await first.close()
    await using chain = await memoryChain(options)
    t.equal((await chain.dio(ann.session).load(Diary, diary.key)).title, 'for many')
    await t.rejects(chain.dio(eve.session).load(Diary, diary.key), { code: 'NO_READ_KEY' })
  },
)

await t.test(
  'of a commit that is refused at its end nothing is remembered: roots and rules after it are there',
  async (t) => {
    // Names that share a hash share a record: with a hash that is worth nothing it becomes too large.
    const sha256: typeof crypto.sha256 = (...parts) =>
      parts.length === 2 ? new Uint8Array(32) : crypto.sha256(...parts)
    const options = { storage: new MemoryStorage(), store: new MemoryStore(), keys, crypto: { ...crypto, sha256 } }
    const first = await memoryChain(options)
    const refused = first.dioMut(ann.session)
    const box = refused.store({ label: 'x' }, { type: Box })
    for (let i = 0; i < 80; i++) box.notes.set(`${i}`.padEnd(1000, '-'), { text: '' })
    refused.protect(box, { write: writeBy.only(ann.write) })
    await t.rejects(refused.commit(), { code: 'OBJECT_TOO_LARGE' })
    refused.cancel()
    const { diary } = await annsDiary(first)
    t.strictSame([...first.dio().rootKeys()], [diary])
    await first.close()
    await using chain = await memoryChain(options)
    t.strictSame([...chain.dio().rootKeys()], [diary])
    const dio = chain.dioMut(new AteSession({ readKeys: [ann.read] }))
    ;(await dio.load(Diary, diary)).title = 'forged'
    await t.rejects(dio.commit(), { code: 'NOT_AUTHORIZED' })
  },
)

await onEveryChain('queues and services work where there are root keys, for who holds one', async (t, open) => {
  await using chain = await open()
  await chain.pinRootKeys([ann.write.id])
  await t.rejects(chain.queue('jobs', Page, { session: eve.session }), { code: 'NOT_AUTHORIZED' })
  const { session } = ann
  const echo = service('echo', Page, Page)
  const end = new AbortController()
  const serving = chain.serve(echo, ({ text }) => ({ text: `${text}!` }), { signal: end.signal, session })
  t.equal((await chain.invoke(echo, { text: 'hi' }, { session })).text, 'hi!')
  end.abort()
  await serving
})

await onEveryChain(
  'nothing is read or changed through a chain that is closed, and who processes its queue is told',
  async (t, open) => {
    const chain = await open()
    const { diary } = await annsDiary(chain)
    const [dio, mut] = [chain.dio(ann.session), chain.dioMut(ann.session)]
    const queue = await chain.queue('jobs', Page)
    const processing = queue.process(() => undefined, { signal: new AbortController().signal })
    const told = t.rejects(processing, { code: 'CHAIN_CLOSED' })
    await new Promise((resolve) => setTimeout(resolve, 20))
    await chain.close()
    await told
    await t.rejects(dio.load(Diary, diary), { code: 'CHAIN_CLOSED' })
    await t.rejects(mut.load(Diary, diary), { code: 'CHAIN_CLOSED' })
    await t.rejects(mut.commit(), { code: 'CHAIN_CLOSED' })
    t.throws(() => chain.dio(), { code: 'CHAIN_CLOSED' })
  },
)

await t.test('what prints objects prints no key, and a key can be kept', async (t) => {
  const read = Buffer.from(ann.read.bytes).toString('hex')
  const seed = Buffer.from(ann.write.seed).toString('hex')
  const printed = inspect([ann, ann.session, { ...ann }], { depth: 20, showHidden: true, maxArrayLength: null })
  for (const secret of [ann.read.bytes, ann.write.seed, ann.write.signing.classical])
    t.notMatch(printed.replaceAll(/[\s,]+/g, ' '), [...secret].join(' '))
  t.notMatch(printed, read)
  t.notMatch(printed, seed)
  t.equal(WriteKey.fromSeed(crypto, ann.write.seed).id, ann.write.id)
  t.equal(ReadKey.from(crypto, ann.read.bytes).id, ann.read.id)
})
