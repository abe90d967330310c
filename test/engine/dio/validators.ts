/** Validators and linters: who judges and labels commits, when, and what is left when they fail. */
import t from 'tap'
import { nativeCrypto as crypto } from '../../../src/adapters/node/native-crypto.js'
import { openMemoryChain } from '../../../src/engine/chain/memory-chain.js'
import { Chain } from '../../../src/engine/dio/chain.js'
import { infoOf } from '../../../src/engine/dio/dao-state.js'
import { dataType } from '../../../src/engine/dio/data-type.js'
import { Hooks } from '../../../src/engine/dio/hooks/hooks.js'
import { type Validator, vote } from '../../../src/engine/dio/hooks/plugin.js'
import type { Plugin } from '../../../src/engine/dio/plugin.js'
import { plain } from '../../../src/engine/dio/standard-schema.js'
import { MAX_PROOF_KEYS } from '../../../src/engine/limits.js'
import { PROOF_ENTRY_BYTES } from '../../../src/engine/log/format/proof-format.js'
import { generateReadKey } from '../../../src/library/keys.js'
import { readBy } from '../../../src/engine/trust/rules.js'
import { AteSession } from '../../../src/engine/trust/session.js'
import { Box, boxWith, collected, Item, memoryChain, namesIn, Note } from '../../helpers/objects.js'

const Account = dataType('Account', plain<{ balance: number }>())
const Sum = dataType('Sum', plain<{ total: number }>(), {
  merge: (base, theirs, mine) => ({ total: theirs.total + mine.total - base.total }),
})

function judging(...validators: Validator[]): Plugin {
  return { name: 'judge', validators }
}

const notBelowZero: Validator = (commit) => {
  const poor = commit.of(Account).find(({ fields }) => fields !== undefined && fields.balance < 0)
  return poor === undefined ? vote.allow : vote.deny(`the account ${poor.key} would be below zero`)
}

for (const [how, validator] of [
  ['at once', notBelowZero],
  ['later', async (commit, signal) => notBelowZero(commit, signal)],
] satisfies [string, Validator][])
  await t.test(
    `a validator that answers ${how} refuses a commit with its reason, and nothing of it is kept`,
    async (t) => {
      await using chain = await memoryChain({}, [judging(validator)])
      const { key } = await chain.transact((dio) => dio.store({ balance: 5 }, { type: Account }))
      const dio = chain.dioMut()
      const account = await dio.load(Account, key)
      account.balance = -1
      const other = dio.store({ balance: 1 }, { type: Account })
      await t.rejects(dio.commit(), { code: 'REFUSED', message: /judge.*below zero/ })
      t.equal((await chain.dio().load(Account, key)).balance, 5)
      t.notOk(await chain.dio().exists(other.key))
      account.balance = 4
      await dio.commit()
      t.equal((await chain.dio().load(Account, key)).balance, 4, 'the same transaction may be corrected')
    },
  )

await t.test('a validator sees what is created, changed, moved and deleted, with what was there before', async (t) => {
  const seen: string[] = []
  await using chain = await memoryChain({}, [
    judging((commit) => {
      for (const { kind, type, fields, before } of commit.changes)
        seen.push([kind, type, JSON.stringify(fields), JSON.stringify(before)].join(' '))
      return vote.allow
    }),
  ])
  const box = await boxWith(chain, 'a', 'b')
  t.strictSame(seen.splice(0).sort(), [
    'created Box {"label":"box"} ',
    'created Item {"name":"a","amount":1} ',
    'created Item {"name":"b","amount":1} ',
  ])
  await chain.transact(async (dio) => {
    const items = await collected((await dio.load(Box, box.key)).items)
    const [a, b] = items
    if (a === undefined || b === undefined) throw new Error('there are two')
    a.amount = 2
    dio.detach(b.key)
  })
  t.strictSame(seen.splice(0).sort(), [
    'changed Item {"name":"a","amount":2} {"name":"a","amount":1}',
    'changed Item {"name":"b","amount":1} {"name":"b","amount":1}',
  ])
  await chain.transact((dio) => dio.delete(box.key))
  t.strictSame(seen.splice(0).sort(), ['deleted Box  {"label":"box"}', 'deleted Item  {"name":"a","amount":2}'])
  await chain.transact((dio) => dio.delete(dio.store({ text: 'gone' }, { type: Note }).key))
  t.strictSame(seen, [], 'what comes and goes within a transaction is nothing')
})

await t.test('a validator sees an object that is moved without being loaded, and where it was', async (t) => {
  const moves: unknown[] = []
  await using chain = await memoryChain({}, [
    judging((commit) => {
      for (const { kind, parent, parentBefore } of commit.of(Item)) moves.push([kind, parentBefore, parent])
      return vote.allow
    }),
  ])
  const box = await boxWith(chain, 'a')
  const [key] = await collected((await chain.dio().load(Box, box.key)).items.keys())
  await chain.transact((dio) => {
    if (key !== undefined) dio.detach(key)
  })
  t.strictSame(moves, [
    ['created', undefined, box.key],
    ['changed', box.key, undefined],
  ])
})

await t.test('where all validators abstain nothing is kept: somebody must know what it is', async (t) => {
  const knows: Validator = (commit) => (commit.of(Account).length === commit.changes.length ? vote.allow : vote.abstain)
  await using chain = await memoryChain({}, [judging(knows), { name: 'other', validators: [() => vote.abstain] }])
  await chain.transact((dio) => dio.store({ balance: 1 }, { type: Account }))
  const note = chain.transact((dio) => dio.store({ text: 'x' }, { type: Note }))
  await t.rejects(note, { code: 'REFUSED', message: /abstained/ })
})

await t.test('a validator that throws, hangs or does not vote refuses the commit with a code', async (t) => {
  const asJavaScript = (() => undefined) as unknown as Validator
  const hooks: [Validator, { code: string; cause?: object; message?: RegExp }][] = [
    [
      () => {
        throw new Error('broken')
      },
      { code: 'HOOK_FAILED', cause: { message: 'broken' } },
    ],
    [
      async () => {
        throw new Error('broken')
      },
      { code: 'HOOK_FAILED', cause: { message: 'broken' } },
    ],
    [() => new Promise(() => undefined), { code: 'TIMED_OUT' }],
    [asJavaScript, { code: 'HOOK_FAILED', message: /voted/ }],
  ]
  for (const [validator, error] of hooks) {
    let isBroken = true
    const validators: Validator[] = [(commit, signal) => (isBroken ? validator(commit, signal) : vote.allow)]
    await using chain = await memoryChain({}, [{ name: 'broken', validators, timeoutMs: 20 }])
    const dio = chain.dioMut()
    const { key } = dio.store({ text: 'x' }, { type: Note })
    await t.rejects(dio.commit(), error)
    t.notOk(await chain.dio().exists(key))
    isBroken = false
    await dio.commit()
    t.ok(await chain.dio().exists(key), 'it may be tried again')
  }
})

await t.test(
  'a commit that is given up while it is judged has changed nothing, and the validator is told',
  async (t) => {
    let told: AbortSignal | undefined
    await using chain = await memoryChain({}, [
      judging((_, signal) => {
        told = signal
        return new Promise(() => undefined)
      }),
    ])
    const dio = chain.dioMut()
    const { key } = dio.store({ text: 'x' }, { type: Note })
    const end = new AbortController()
    const committing = dio.commit({ signal: end.signal })
    end.abort()
    await t.rejects(committing, { code: 'ABORTED' })
    t.ok(told?.aborted)
    t.notOk(await chain.dio().exists(key))
  },
)

await t.test('what is given to hooks cannot be changed by them', async (t) => {
  await using chain = await memoryChain({}, [
    judging((commit) => {
      for (const { fields } of commit.of(Account))
        if (fields !== undefined) (fields as { balance: number }).balance = 1e9
      return vote.allow
    }),
  ])
  const storing = chain.transact((dio) => dio.store({ balance: 1 }, { type: Account }))
  await t.rejects(storing, { code: 'HOOK_FAILED', cause: { name: 'TypeError' } })
})

await t.test('hooks are told who acts, and get no key of his', async (t) => {
  const readKey = generateReadKey()
  const session = new AteSession({ identity: 'ann', claims: { role: 'clerk' }, readKeys: [readKey], token: 'secret' })
  let who: unknown
  await using chain = await memoryChain({}, [
    judging((commit) => {
      who = commit.who
      return vote.allow
    }),
  ])
  await chain.transact((dio) => dio.protect(dio.store({ text: 'x' }, { type: Note }), { read: readBy.only(readKey) }), {
    session,
  })
  t.strictSame(who, { identity: 'ann', claims: { role: 'clerk' } })
})

await t.test('what is merged in after it was judged is judged again, by who answers at once', async (t) => {
  const limit =
    (max: number): Validator =>
    (commit) =>
      commit.of(Sum).every(({ fields }) => (fields?.total ?? 0) <= max) ? vote.allow : vote.deny('too much')
  await using chain = await memoryChain({}, [judging(limit(10))])
  const { key } = await chain.transact((dio) => dio.store({ total: 0 }, { type: Sum }))
  const [first, second] = [chain.dioMut(), chain.dioMut()]
  ;(await first.load(Sum, key)).total += 6
  ;(await second.load(Sum, key)).total += 6
  await first.commit()
  await t.rejects(second.commit(), { code: 'REFUSED' })
  t.equal((await chain.dio().load(Sum, key)).total, 6)
})

await t.test('what is changed by others while a validator thinks is a conflict, or judged as it will be', async (t) => {
  let wait: Promise<void> | undefined
  await using chain = await memoryChain({}, [
    judging(async () => {
      await wait
      return vote.allow
    }),
  ])
  const { key } = await chain.transact((dio) => dio.store({ total: 0 }, { type: Sum }))
  const [first, second] = [chain.dioMut(), chain.dioMut()]
  ;(await first.load(Sum, key)).total += 1
  ;(await second.load(Sum, key)).total += 2
  let go = (): void => undefined
  wait = new Promise((resolve) => (go = resolve))
  const committing = second.commit()
  wait = undefined
  await first.commit()
  go()
  await t.rejects(committing, { code: 'CONFLICT' }, 'the merged one was judged by nobody')
  t.equal((await chain.dio().load(Sum, key)).total, 1)
})

await t.test('what is stored while a validator thinks is judged with the rest, or not at all', async (t) => {
  await using chain = await memoryChain({}, [judging(async () => vote.allow)])
  const dio = chain.dioMut()
  const note = dio.store({ text: 'one' }, { type: Note })
  const committing = dio.commit()
  const late = dio.store({ text: 'two' }, { type: Note })
  await t.rejects(committing, { code: 'CONFLICT' })
  t.notOk(await chain.dio().exists(note.key))
  t.notOk(await chain.dio().exists(late.key))
})

await t.test('linters label objects, which are found by their labels and keep them', async (t) => {
  let label: string | undefined = 'draft'
  const author: Plugin = { name: 'author', linters: [(_, { identity }) => ({ author: identity })] }
  const state: Plugin = {
    name: 'state',
    linters: [(change) => (change.as(Note) === undefined ? undefined : { state: label })],
  }
  await using chain = await memoryChain({}, [author, state])
  const session = new AteSession({ identity: 'ann' })
  const { key } = await chain.transact((dio) => dio.store({ text: 'x' }, { type: Note }), { session })
  const item = await chain.transact((dio) => dio.store({ name: 'i', amount: 1 }, { type: Item }), { session })
  const labelsOf = async (): Promise<unknown> => Object.fromEntries((await chain.dio().info(key))?.labels ?? [])
  t.strictSame(await labelsOf(), { author: 'ann', state: 'draft' })
  const keysOf = async (name: string, value: string): Promise<unknown> =>
    (await collected(chain.dio().labeled(name, value))).map((info) => info.key).sort()
  t.strictSame(await keysOf('author', 'ann'), [key, item.key].sort())
  t.strictSame(await keysOf('state', 'draft'), [key])

  label = undefined
  await chain.transact(
    async (dio) => {
      ;(await dio.load(Note, key)).text = 'y'
    },
    { session: new AteSession({ identity: 'bob' }) },
  )
  t.strictSame(await labelsOf(), { author: 'bob' })
  t.strictSame(await keysOf('state', 'draft'), [])
  t.strictSame(await keysOf('author', 'ann'), [item.key])
  t.equal(infoOf(await chain.dio().load(Note, key)).labels.get('author'), 'bob')

  await chain.transact((dio) => dio.delete(key))
  t.strictSame(await keysOf('author', 'bob'), [])
})

await t.test('linters see the labels of those before them, validators those of all', async (t) => {
  let judged: unknown
  await using chain = await memoryChain({}, [
    {
      name: 'judge',
      validators: [(commit) => ((judged = Object.fromEntries(commit.changes[0]?.labels ?? [])), vote.allow)],
    },
    { name: 'one', linters: [() => ({ count: '1' })] },
    { name: 'two', linters: [({ labels }) => ({ count: `${labels.get('count') ?? ''}2` })] },
  ])
  await chain.transact((dio) => dio.store({ text: 'x' }, { type: Note }))
  t.strictSame(judged, { count: '12' })
})

await t.test('a linter that throws, or says what is no label, keeps the commit from being made', async (t) => {
  const wrong: Plugin['linters'] = [
    () => {
      throw new Error('broken')
    },
    () => ({ big: 'x'.repeat(2000) }),
    () => Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`name${i}`, 'x'])),
    () => ({ number: 5 as unknown as string }),
    () => ({ '\ud800': 'x', '\ud801': 'y' }),
    () => ({ half: '\udc00' }),
  ]
  for (const lint of wrong) {
    await using chain = await memoryChain({}, [{ name: 'broken', linters: [lint] }])
    const dio = chain.dioMut()
    const { key } = dio.store({ text: 'x' }, { type: Note })
    await t.rejects(dio.commit(), { code: 'HOOK_FAILED' })
    t.notOk(await chain.dio().exists(key))
  }
})

await t.test(
  'plugins are opened in order, closed in reverse before the chain, and each has a name of its own',
  async (t) => {
    const calls: string[] = []
    const plugin = (name: string): Plugin => ({
      name,
      open: () => void calls.push(`open ${name}`),
      close: async (chain) => {
        await chain.transact((dio) => dio.store({ text: name }, { type: Note }))
        calls.push(`close ${name}`)
      },
    })
    const chain = await memoryChain({}, [plugin('a'), plugin('b')])
    await chain.openPlugins()
    await chain.close()
    t.strictSame(calls, ['open a', 'open b', 'close b', 'close a'])
    await t.rejects(memoryChain({}, [plugin('a'), plugin('a')]), { code: 'BAD_ARGUMENT' })

    const broken = await memoryChain({}, [{ name: 'broken', close: () => new Promise(() => undefined), timeoutMs: 20 }])
    await broken.openPlugins()
    await t.rejects(broken.close(), { code: 'TIMED_OUT' })
    t.throws(() => broken.dio(), { code: 'CHAIN_CLOSED' }, 'the chain is closed all the same')
  },
)

await t.test(
  'an insertion between children, which moves others, is seen by validators as it is committed',
  async (t) => {
    await using chain = await memoryChain({}, [judging(async () => vote.allow)])
    const box = await boxWith(chain, 'a', 'c')
    await chain.transact(async (dio) => (await dio.load(Box, box.key)).items.insert(1, { name: 'b', amount: 1 }))
    await Promise.all(
      ['d', 'e'].map((name) =>
        chain.transact(async (dio) => (await dio.load(Box, box.key)).items.push({ name, amount: 1 })),
      ),
    )
    t.strictSame((await namesIn(chain, box)).slice(0, 3), ['a', 'b', 'c'])
  },
)

await t.test(
  'where batches are signed, room is kept for the signatures, whether validators answer at once, later or not at all',
  async (t) => {
    const asked: Set<number>[] = []
    for (const validators of [[], [() => vote.allow], [async () => vote.allow]] satisfies Validator[][]) {
      const reserved = new Set<number>()
      asked.push(reserved)
      const opened = await openMemoryChain({ crypto, trust: 'distributed' })
      const { view, trust } = opened
      const reserve = view.reserve.bind(view)
      view.reserve = (bytes, essential) => {
        reserved.add(bytes)
        return reserve(bytes, essential)
      }
      await using chain = new Chain({
        name: 'signed',
        view,
        trust,
        crypto,
        nowMs: Date.now,
        durability: 'memory',
        hooks: new Hooks([judging(...validators)]),
        compact: () => view.compact(),
        onClose: () => opened.close(),
      })
      await chain.transact((dio) => dio.store({ text: 'x' }, { type: Note }))
    }
    const [without = new Set()] = asked
    t.ok(Math.max(...without) > MAX_PROOF_KEYS * PROOF_ENTRY_BYTES)
    t.strictSame(asked, [without, without, without])
  },
)
