/** Locks that a server keeps for its clients: held by one, kept over a lost connection, and known to be lost before others have them. */
import t, { type Test } from 'tap'
import { type LockAnswer, RemoteLocks, type RemoteLocksOptions } from '../../src/client/index.js'
import { toHex } from '../../src/engine/bytes/hex.js'
import type { ChainKeys } from '../../src/engine/crypto/chain-keys.js'
import { AteError } from '../../src/engine/error.js'
import { memoryTransports, type Transport } from '../../src/wire/index.js'
import { eventually, type Machine, machine } from '../helpers/remote-chains.js'
import { TestServer } from '../helpers/real-server.js'

const END = Number.MAX_SAFE_INTEGER
const file = (name: number): Uint8Array => new Uint8Array(16).fill(name)
const owner = (name: number): Uint8Array => new Uint8Array(8).fill(name)
const exclusive = { file: file(1), from: 0, to: END, isExclusive: true }
const AT_ONCE = { waits: false, detects: false }
const WAITS = { waits: true, detects: true }

interface Client extends Machine {
  locks: RemoteLocks
  lost: string[]
  way: Way
}

/** The way to a server, of which that may lose sight while its client is not told. */
class Way {
  #isSilent = false
  #ends: (() => void)[] = []
  #hangUps: (() => void)[] = []

  constructor(readonly server: TestServer) {}

  readonly dial = async (): Promise<Transport> => {
    if (this.server.isAway) throw new AteError('CONNECTION_FAILED', 'Nobody answers.')
    const [client, here] = memoryTransports()
    const [there, end] = memoryTransports()
    const pass = (from: Transport, to: Transport): void =>
      from.start({
        packet: (bytes) => (this.#isSilent ? undefined : to.send(bytes, () => undefined)),
        ended: () => (this.#isSilent ? undefined : to.close()),
      })
    pass(here, there)
    pass(there, here)
    this.server.accept(end)
    this.#ends.push(() => there.close())
    this.#hangUps.push(() => here.close())
    return client
  }

  silence(): void {
    this.#isSilent = true
    for (const end of this.#ends.splice(0)) end()
  }

  heal(): void {
    this.#isSilent = false
    for (const hangUp of this.#hangUps.splice(0)) hangUp()
  }
}

async function client(t: Test, server: TestServer, keys?: ChainKeys, options: Partial<RemoteLocksOptions> = {}) {
  const lost: string[] = []
  const locks: RemoteLocks = new RemoteLocks({
    patienceMs: 300,
    renewMs: 40,
    brought: () => made.remote.brought(),
    onLost: (files) => lost.push(...files),
    ...options,
  })
  const way = new Way(server)
  const { stores } = server
  const made: Machine = await machine(
    { dial: way.dial, chains: stores.chains },
    { recoveryMode: 'sync', locks, ...(keys === undefined ? {} : { keys }) },
  )
  t.teardown(async () => {
    await made.close()
    locks.close()
  })
  return { ...made, locks, lost, way } satisfies Client
}

async function two(t: Test, { graceMs = 5000, leaseMs = 4000 } = {}) {
  const server = new TestServer({ graceMs })
  t.teardown(() => server.close())
  const one = await client(t, server, undefined, { leaseMs })
  return { server, one, other: await client(t, server, one.keys) }
}

const lock = ({ locks }: Client, name: number, how = AT_ONCE): Promise<LockAnswer> =>
  locks.lock({ ...exclusive, owner: owner(name) }, how)
const unlock = ({ locks }: Client, name: number): Promise<LockAnswer> =>
  locks.unlock({ ...exclusive, owner: owner(name) })

await t.test('one has it, others wait for it or do not', async (t) => {
  const { one, other } = await two(t)
  t.equal(await lock(one, 1), 'granted')
  t.equal(await lock(other, 1), 'held', 'another machine, whatever its owners are called')
  t.equal(await lock(one, 2), 'held', 'another owner on the same machine')
  const waiting = lock(other, 1, WAITS)
  t.equal(await unlock(one, 2), 'granted', 'who has nothing gives nothing back')
  t.equal(await unlock(one, 1), 'granted')
  t.equal(await waiting, 'granted')
  t.match(await one.locks.test({ ...exclusive, owner: owner(1) }), {
    isOwn: false,
    isExclusive: true,
    from: 0,
    to: END,
  })
  t.match(await other.locks.test({ ...exclusive, owner: owner(2) }), { isOwn: true, owner: owner(1) })
})

await t.test('who gives up waiting has not got it', async (t) => {
  const { one, other } = await two(t)
  await lock(one, 1)
  const giveUp = new AbortController()
  const waiting = other.locks.lock({ ...exclusive, owner: owner(1) }, { ...WAITS, signal: giveUp.signal })
  await new Promise((resolve) => setTimeout(resolve, 20))
  giveUp.abort()
  t.equal(await waiting, 'interrupted')
  await unlock(one, 1)
  t.equal(await lock(one, 2), 'granted')
})

await t.test('who gave up before he could be heard does not wait', async (t) => {
  const { one, other } = await two(t)
  await lock(one, 1)
  const giveUp = new AbortController()
  const waiting = other.locks.lock({ ...exclusive, owner: owner(1) }, { ...WAITS, signal: giveUp.signal })
  giveUp.abort()
  t.equal(await waiting, 'interrupted', 'while it was found out whether the server is there')
})

await t.test(
  'who waits while the connection is being ended lets the others go on, and waits on the next one',
  async (t) => {
    const { one, other } = await two(t)
    await lock(one, 1)
    await lock(other, 2)
    const peer = await other.link.connection(1000)
    void peer.close()
    const waiting = lock(other, 1, WAITS)
    await eventually(() => other.remote.status().isConnected)
    await unlock(one, 1)
    t.equal(await waiting, 'granted')
  },
)

await t.test('a lock is certain again after a time in which nobody had one', async (t) => {
  const { one } = await two(t, { leaseMs: 200 })
  t.equal(await lock(one, 1), 'granted')
  await unlock(one, 1)
  for (const pauseMs of [300, 150]) {
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
    t.equal(await lock(one, 1), 'granted')
    for (const began = performance.now(); performance.now() - began < 100;) {
      t.notOk(one.locks.isLost(toHex(file(1))))
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    await unlock(one, 1)
  }
  t.strictSame(one.lost, [])
})

await t.test('a lock survives a lost connection, and who waited goes on waiting', async (t) => {
  const { server, one, other } = await two(t)
  await lock(one, 1)
  const waiting = lock(other, 1, WAITS)
  await new Promise((resolve) => setTimeout(resolve, 20))
  server.cut()
  await eventually(() => one.remote.status().isConnected && other.remote.status().isConnected)
  t.equal(await lock(other, 2), 'held')
  t.notOk(one.locks.isLost(toHex(file(1))))
  await unlock(one, 1)
  t.equal(await waiting, 'granted')
  t.strictSame(one.lost, [])
})

await t.test('who may have lost a lock knows it before others can have it, and until he lets go', async (t) => {
  const { one, other } = await two(t, { graceMs: 600, leaseMs: 400 })
  await lock(one, 1)
  let isLostBefore = false
  one.way.silence()
  const waiting = lock(other, 1, WAITS).then((answer) => {
    isLostBefore = one.locks.isLost(toHex(file(1)))
    return answer
  })
  t.equal(await waiting, 'granted')
  t.ok(isLostBefore)
  t.strictSame(one.lost, [toHex(file(1))], 'told')
  one.way.heal()
  await eventually(() => one.remote.status().isConnected)
  t.equal(await lock(one, 2), 'unavailable')
  t.ok(one.locks.isLost(toHex(file(1))))
  await unlock(one, 1)
  t.notOk(one.locks.isLost(toHex(file(1))))
  t.equal(await lock(one, 1), 'held')
})

await t.test('who has locks has them still when the server was started again, and others wait as before', async (t) => {
  const { server, one, other } = await two(t)
  await lock(one, 1)
  const shared = { file: file(2), from: 0, to: 9, isExclusive: false }
  t.equal(await one.locks.lock({ ...shared, owner: owner(1) }, AT_ONCE), 'granted')
  t.equal(await one.locks.unlock({ ...shared, from: 3, to: 4, owner: owner(1) }), 'granted')
  const waiting = lock(other, 1, WAITS)
  await new Promise((resolve) => setTimeout(resolve, 20))
  for (const round of [1, 2]) {
    await server.restart()
    const began = performance.now()
    t.equal(await lock(other, 2), 'held', `restart ${round}`)
    t.ok(performance.now() - began < 3000, 'as soon as all are back')
    t.equal(await other.locks.lock({ ...shared, from: 2, isExclusive: true, owner: owner(2) }, AT_ONCE), 'held')
    t.equal(await other.locks.lock({ ...shared, to: 1, owner: owner(2) }, AT_ONCE), 'granted', 'shared ones are beside')
    t.equal(
      await other.locks.lock({ ...shared, from: 3, to: 4, isExclusive: true, owner: owner(2) }, AT_ONCE),
      'granted',
    )
    t.notOk(one.locks.isLost(toHex(file(1))))
  }
  await unlock(one, 1)
  t.equal(await waiting, 'granted')
  t.strictSame([one.lost, other.lost], [[], []])
})

await t.test(
  'who does not come back in time after a restart has lost his locks, and knows it before others have them',
  async (t) => {
    const { server, one, other } = await two(t, { graceMs: 600, leaseMs: 400 })
    await lock(one, 1)
    one.way.silence()
    await server.restart()
    const began = performance.now()
    const isLost = lock(other, 1, WAITS).then((answer) => answer === 'granted' && one.locks.isLost(toHex(file(1))))
    t.ok(await isLost)
    t.ok(performance.now() - began > 400, 'not at once')
    one.way.heal()
    await eventually(() => one.remote.status().isConnected)
    t.equal(await lock(one, 2), 'unavailable')
    await unlock(one, 1)
    t.equal(await lock(one, 1), 'held')
  },
)

await t.test('who was away for longer than his locks were kept does not get them back by a restart', async (t) => {
  const { server, one, other } = await two(t, { graceMs: 300, leaseMs: 200 })
  await lock(one, 1)
  one.way.silence()
  t.equal(await lock(other, 1, WAITS), 'granted')
  await unlock(other, 1)
  await server.restart()
  one.way.heal()
  await eventually(() => one.remote.status().isConnected)
  t.equal(await lock(other, 1, WAITS), 'granted')
  t.equal(await lock(one, 2), 'unavailable')
  t.ok(one.locks.isLost(toHex(file(1))))
  t.notOk(other.locks.isLost(toHex(file(1))))
})

await t.test(
  'a server that does not know who had locks gives none for a while, and lets nobody have had any',
  async (t) => {
    const { server, one, other } = await two(t, { graceMs: 300 })
    await lock(one, 1)
    const storage = [...server.stores.chains.values()][0]?.storage
    await server.restart(() => storage?.replaceSmall('locks', new Uint8Array([1])))
    const began = performance.now()
    t.equal(await lock(other, 1, WAITS), 'granted')
    t.ok(performance.now() - began > 200, 'not at once')
    t.ok(one.locks.isLost(toHex(file(1))))
  },
)

await t.test(
  'without a server locks are refused after a while, and what was let go of is free when it is back',
  async (t) => {
    const { server, one, other } = await two(t)
    await lock(one, 1)
    server.isAway = true
    server.cut()
    const began = performance.now()
    t.equal(await lock(other, 1, WAITS), 'unavailable')
    t.ok(performance.now() - began < 2000)
    t.equal(await unlock(one, 1), 'granted')
    server.isAway = false
    await eventually(async () => (await lock(other, 1)) === 'granted')
  },
)

await t.test('who leaves the chain has no lock any more, and knows it', async (t) => {
  const { one, other } = await two(t)
  await lock(one, 1)
  one.locks.disconnected(true)
  t.ok(one.locks.isLost(toHex(file(1))))
  t.strictSame(one.lost, [toHex(file(1))], 'told')
  await eventually(async () => (await lock(other, 1)) === 'held')
})

await t.test('who gives up while a server that was started again gives no locks does not get one', async (t) => {
  const { server, one, other } = await two(t, { graceMs: 1000 })
  await lock(one, 1)
  one.way.silence()
  await server.restart()
  await eventually(() => other.remote.status().isConnected)
  const giveUp = new AbortController()
  const waiting = other.locks.lock({ ...exclusive, owner: owner(1) }, { ...WAITS, signal: giveUp.signal })
  await new Promise((resolve) => setTimeout(resolve, 50))
  giveUp.abort()
  t.equal(await waiting, 'interrupted')
})
