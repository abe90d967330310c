/** What is lost and found when connections, servers and clients end: nothing that was accepted, and nothing silently. */
import t, { type Test } from 'tap'
import type { RemoteChainOptions } from '../../src/client/index.js'
import { checkForkEvidence, encodeForkEvidence, type ForkReport } from '../../src/sync/index.js'
import { crypto, identityId } from '../helpers/wire.js'
import { Relay } from '../helpers/relay.js'
import { eventually, type Machine, machine, memoryState, NAME, Note, store, texts } from '../helpers/remote-chains.js'

const endOf = ({ remote }: Machine): number => remote.status().headSequence

/** The batches of the relay, each once and in order. */
function demandOrder(t: Test, relay: Relay): void {
  const { batches = [] } = relay.chains.get(NAME) ?? {}
  t.strictSame(
    batches.map(({ end }) => end.sequence),
    batches.map((_, i) => i + 1),
  )
}

await t.test('a connection that is lost and comes again loses and repeats nothing', async (t) => {
  const relay = new Relay()
  const one = await machine(relay, { patienceMs: 10_000 })
  const other = await machine(relay, { keys: one.keys, patienceMs: 10_000 })
  const chaos = { isOver: false }
  const cutting = (async () => {
    while (!chaos.isOver) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      relay.cut()
    }
  })()
  const write = async (each: Machine, name: string): Promise<void> => {
    for (let round = 0; round < 15; round++) {
      await store(each, `${name}-${round}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  await Promise.all([write(one, 'one'), write(other, 'other')])
  chaos.isOver = true
  await cutting
  await Promise.all([one.remote.accepted(), other.remote.accepted()])
  await eventually(() => endOf(one) === endOf(other))
  t.strictSame(await texts(one), await texts(other))
  t.equal(new Set(await texts(one)).size, 30)
  demandOrder(t, relay)
  await one.close()
  await other.close()
})

await t.test('what a process that was killed had not brought is brought when it starts again', async (t) => {
  const relay = new Relay()
  relay.keepMs = 20
  const one = await machine(relay)
  await store(one, 'brought')
  await one.remote.accepted()
  const { keys, storage, state } = one
  const kept = { ...memoryState(), bytes: state.bytes }
  relay.acceptsNothing = true
  relay.isAway = true
  relay.cut()
  const offline = await machine(relay, { keys, storage, state: kept, recoveryMode: 'async', mayBeAway: true })
  await store(offline, 'not brought')
  t.equal(relay.chains.get(NAME)?.batches.length, 1)
  await offline.kill()
  relay.isAway = false
  relay.acceptsNothing = false
  const again = await machine(relay, { keys, storage, state: kept })
  await again.remote.accepted()
  t.equal(relay.chains.get(NAME)?.batches.length, 2)
  t.strictSame(await texts(again), ['brought', 'not brought'])
  const other = await machine(relay, { keys })
  t.strictSame(await texts(other), ['brought', 'not brought'])
  for (const each of [again, other]) await each.close()
  await one.kill()
})

await t.test('where others went on meanwhile it is told, and the chain goes on without it', async (t) => {
  const relay = new Relay()
  relay.keepMs = 20
  const one = await machine(relay, { recoveryMode: 'async' })
  const other = await machine(relay, { keys: one.keys })
  await store(one, 'both')
  await eventually(() => endOf(other) === 1)
  await one.link.close()
  await store(one, 'only here')
  await store(other, 'everywhere')
  const { keys, storage, state } = one
  await one.chain.close()
  await t.rejects(machine(relay, { keys, storage, state }), { code: 'COMMIT_SET_ASIDE', sequence: 1 })
  t.strictSame(await texts(other), ['both', 'everywhere'])
  await other.close()
})

let known: Machine | undefined

await t.test(
  'what a power cut took of a copy, and what was committed there since, ends nothing for good',
  async (t) => {
    const relay = new Relay()
    const one = await machine(relay)
    for (const text of ['1', '2', '3']) await store(one, text)
    await one.remote.accepted()
    const { keys, state } = one
    const early = await machine(relay, { keys })
    await early.kill()
    for (const text of ['4', '5']) await store(one, text)
    await one.remote.accepted()
    await one.close()
    // The log ends with 3 again, but that the server had 5 is known.
    const lost = { keys, storage: early.storage, state: { ...memoryState(), bytes: state.bytes } }
    relay.isAway = true
    const offline = await machine(relay, { ...lost, recoveryMode: 'async', mayBeAway: true })
    await store(offline, 'mine')
    await offline.kill()
    relay.isAway = false
    await t.rejects(machine(relay, lost), { code: 'COMMIT_SET_ASIDE', sequence: 3 })
    const chain = relay.chains.get(NAME)
    if (chain === undefined) throw new Error('there is no chain')
    const fork = new Relay()
    const liar = await machine(fork, { keys })
    for (const text of ['1', '2', '3', '4', 'another']) await store(liar, text)
    await liar.remote.accepted()
    chain.batches = [...(fork.chains.get(NAME)?.batches ?? [])]
    await t.rejects(machine(relay, lost), { code: 'CHAIN_FORKED' }, 'what is known of the server counts still')
    await liar.close()
  },
)

await t.test('changes wait for a server that is away for a bounded time, and reads go on', async (t) => {
  const relay = new Relay()
  for (const [recoveryMode, code, commitCode] of [
    ['readonly-async', 'READ_ONLY', 'READ_ONLY'],
    ['readonly-sync', 'TIMED_OUT', 'READ_ONLY'],
    ['sync', 'TIMED_OUT', 'TIMED_OUT'],
  ] as const) {
    const keys = relay.chains.has(NAME) ? known?.keys : undefined
    const one: Machine = await machine(relay, { recoveryMode, patienceMs: 100, ...(keys ? { keys } : {}) })
    known = one
    await store(one, recoveryMode)
    await one.remote.accepted()
    relay.isAway = true
    relay.cut()
    await eventually(() => !one.remote.status().isConnected)
    await t.rejects(store(one, 'never'), { code }, recoveryMode)
    await t.rejects(store(one, 'never'), { code }, `${recoveryMode} again`)
    const dio = one.chain.dioMut()
    dio.store({ text: 'never' }, { type: Note })
    await t.rejects(dio.commit(), { code: commitCode }, `${recoveryMode}: a commit that looks at nothing`)
    t.ok((await texts(one)).includes(recoveryMode))
    if (recoveryMode === 'readonly-async') await one.remote.refresh()
    else await t.rejects(one.remote.refresh(), { code: 'TIMED_OUT' })
    relay.isAway = false
    await eventually(() => one.remote.status().isConnected)
    await store(one, `${recoveryMode} again`)
    await one.close()
  }
})

await t.test(
  'in the mode async changes go on while the server is away, and are brought there afterwards',
  async (t) => {
    const relay = new Relay()
    const one = await machine(relay, { recoveryMode: 'async', patienceMs: 100 })
    await store(one, 'before')
    await one.remote.accepted()
    relay.isAway = true
    relay.cut()
    await eventually(() => !one.remote.status().isConnected)
    await store(one, 'transacted')
    const dio = one.chain.dioMut()
    dio.store({ text: 'committed' }, { type: Note })
    await dio.commit()
    await one.remote.refresh()
    t.strictSame(await texts(one), ['before', 'committed', 'transacted'])
    t.equal(relay.chains.get(NAME)?.batches.length, 1)
    relay.isAway = false
    await eventually(() => one.remote.status().serverSequence === one.remote.status().headSequence)
    const other = await machine(relay, { keys: one.keys })
    t.strictSame(await texts(other), ['before', 'committed', 'transacted'])
    for (const each of [one, other]) await each.close()
  },
)

await t.test('a server that forks, rolls back, leaves out, or serves another chain is refused by name', async (t) => {
  const relay = new Relay()
  const one = await machine(relay)
  for (const text of ['1', '2', '3']) await store(one, text)
  await one.remote.accepted()
  const chain = relay.chains.get(NAME)
  if (chain === undefined) throw new Error('there is no chain')
  await relay.sign(chain)
  const { keys, storage, state } = one
  await eventually(() => one.remote.status().serverSequence === 3)
  await one.close()
  const saved = [...chain.batches]
  const reopened = (options: object = {}): Promise<Machine> => machine(relay, { keys, storage, state, ...options })

  chain.batches = saved.slice(0, 2)
  await t.rejects(reopened(), { code: 'CHAIN_ROLLED_BACK' })

  const evidence: ForkReport[] = []
  const keep: RemoteChainOptions['onEvidence'] = (found, signer) => {
    evidence.push(checkForkEvidence(crypto, encodeForkEvidence(found, signer)))
  }
  const fork = new Relay()
  const liar = await machine(fork, { keys })
  for (const text of ['1', '2', 'another']) await store(liar, text)
  await liar.remote.accepted()
  chain.batches = [...(fork.chains.get(NAME)?.batches ?? [])]
  await t.rejects(reopened({ onEvidence: keep }), { code: 'CHAIN_FORKED' })
  t.match(evidence, [{ isProven: true, serverKey: identityId, sequences: [3, 3] }], 'two heads that it has signed')
  await liar.close()

  chain.batches = [...saved]
  const other = await machine(relay, { keys })
  await store(other, '4')
  await store(other, '5')
  await other.remote.accepted()
  const [left, right] = chain.batches.slice(3)
  if (left === undefined || right === undefined) throw new Error('there are no batches')
  chain.batches = [...saved, right, left]
  await t.rejects(reopened(), { code: 'CHAIN_GAP' })
  await other.close()
  await one.kill()
})
