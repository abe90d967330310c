/** The writer's turn: one at a time, in the order of asking, and never held for ever. */
import t from 'tap'
import { AteError } from '../../src/engine/error.js'
import { Turns, type TurnState } from '../../src/server/turns.js'
import { START } from '../../src/sync/index.js'
import { LocalChain, MemoryStores, serverOn, TestClient } from '../helpers/chain-server.js'
import { failure, ManualTimers, settled } from '../helpers/wire.js'

const session = (name: number): Uint8Array => new Uint8Array(16).fill(name)

class Asker {
  readonly recalls: number[] = []
  readonly losses: number[] = []

  recall(term: number): void {
    this.recalls.push(term)
  }

  lost(term: number): void {
    this.losses.push(term)
  }
}

function turns(state: TurnState = { term: 0, session: null }, waitMs = 45_000) {
  const timers = new ManualTimers()
  const saved: TurnState[] = []
  const save = async (state: TurnState): Promise<void> => void saved.push(state)
  const made = new Turns({ timers, graceMs: 10_000, waitMs, state, save, settled: () => Promise.resolve() })
  return { turns: made, timers, saved }
}

/** Two who ask; the first of them has the turn. */
async function heldByFirst() {
  const { turns: all, timers } = turns()
  const [a, b] = [new Asker(), new Asker()]
  await all.ask(a, session(1), 0)
  return { all, timers, a, b }
}

t.test('it is given in the order of asking, with one term more each time', async (t) => {
  const { turns: all, saved } = turns()
  const [a, b, c] = [new Asker(), new Asker(), new Asker()]
  t.equal(await all.ask(a, session(1), 0), 1)
  t.strictSame(saved, [{ term: 1, session: session(1) }])
  const order: string[] = []
  const second = all.ask(b, session(2), 0).then((term) => order.push(`b ${term}`))
  const third = all.ask(c, session(3), 0).then((term) => order.push(`c ${term}`))
  await settled()
  t.strictSame(a.recalls, [1], 'told once')
  t.ok(all.isHeldBy(a, 1))
  t.notOk(all.isHeldBy(b, 2))
  t.ok(await all.release(a, 1))
  await second
  t.strictSame(b.recalls, [2], 'another waits already')
  t.notOk(await all.release(a, 1), 'its turn is over')
  await all.release(b, 2)
  await third
  t.strictSame(order, ['b 2', 'c 3'])
  all.close()
})

t.test('a holder that does nothing after the recall loses it; one that writes does not', async (t) => {
  const { all, timers, a, b } = await heldByFirst()
  await timers.pass(60_000)
  t.ok(all.isHeldBy(a, 1), 'nobody waits')
  const next = all.ask(b, session(2), 0)
  await timers.pass(9_000)
  all.noteWrite(512 * 1024)
  await timers.pass(9_000)
  t.ok(all.isHeldBy(a, 1))
  await timers.pass(1_000)
  t.strictSame(a.losses, [1])
  t.equal(await next, 2)
  all.close()
})

t.test('a holder that only asks whether it has the turn still loses it in time', async (t) => {
  const { all, timers, a, b } = await heldByFirst()
  const next = all.ask(b, session(2), 0)
  await timers.pass(6_000)
  t.equal(await all.ask(a, session(1), 1), 1)
  await timers.pass(4_000)
  t.strictSame(a.losses, [1])
  t.strictSame(a.recalls, [1], 'told once')
  t.equal(await next, 2)
  all.close()
})

t.test('a holder that brings a byte now and then after the recall loses the turn', async (t) => {
  const { all, timers, a, b } = await heldByFirst()
  const next = all.ask(b, session(2), 0)
  await timers.pass(9_000)
  all.noteWrite(1)
  await timers.pass(1_000)
  t.strictSame(a.losses, [1])
  t.equal(await next, 2)
  all.close()
})

t.test('who waits in vain is told so, and may ask again', async (t) => {
  const { all, timers, a, b } = await heldByFirst()
  const first = failure(all.ask(b, session(2), 0))
  for (let i = 0; i < 9; i++) {
    await timers.pass(5_000)
    all.noteWrite(64 * 1024)
  }
  t.equal(await first, 'TIMED_OUT')
  t.ok(all.isHeldBy(a, 1), 'it was brought something all the time')
  const again = all.ask(b, session(2), 0)
  await all.release(a, 1)
  t.equal(await again, 2)
  await timers.pass(60_000)
  t.ok(all.isHeldBy(b, 2))
  all.close()
})

t.test('the turn of a lost connection is kept for its session, then it is given to the next', async (t) => {
  const { turns: all, timers } = turns()
  const [a, again, b] = [new Asker(), new Asker(), new Asker()]
  await all.ask(a, session(1), 0)
  all.leave(a, false)
  const next = all.ask(b, session(2), 0)
  await timers.pass(9_000)
  t.equal(await all.ask(again, session(1), 1), 1, 'it goes on')
  t.strictSame(again.recalls, [1])
  t.ok(all.isHeldBy(again, 1))
  t.notOk(all.isHeldBy(a, 1))
  all.leave(again, false)
  await timers.pass(10_000)
  t.equal(await next, 2)
  const late = all.ask(a, session(1), 1)
  await settled()
  t.strictSame(b.recalls, [2], 'who comes too late waits like anybody else')
  await all.release(b, 2)
  t.equal(await late, 3)
  all.close()
})

t.test('nobody else wants it: a session that was away for long has it still', async (t) => {
  const { turns: all, timers } = turns()
  const [a, again] = [new Asker(), new Asker()]
  await all.ask(a, session(1), 0)
  all.leave(a, false)
  await timers.pass(100_000)
  t.equal(await all.ask(again, session(1), 1), 1)
  all.leave(again, false)
  await timers.pass(10_000)
  t.equal(await all.ask(new Asker(), session(2), 0), 2, 'at once: its time is over')
  all.close()
})

t.test(
  'who only reads has what the holder made before: it is called back, and nobody else is given the turn',
  async (t) => {
    const { turns: all, timers } = turns()
    const [a, b] = [new Asker(), new Asker()]
    await all.givenBack(b)
    await all.ask(a, session(1), 0)
    all.noteTold(a, 1, false)
    await all.givenBack(b)
    t.strictSame(a.recalls, [], 'it does not know yet that it has it, and has made nothing')
    all.noteTold(a, 1, true)
    await all.givenBack(a)
    t.strictSame(a.recalls, [], 'its own is there')
    let isBack = false
    const back = all.givenBack(b).then(() => (isBack = true))
    await settled()
    t.strictSame(a.recalls, [1])
    t.notOk(isBack)
    await all.release(a, 1)
    await back
    t.notOk(all.isHeld)
    await all.ask(a, session(1), 0)
    const gone = all.givenBack(b)
    all.leave(a, false)
    await gone
    t.ok(all.isHeld, 'one who is not there is not waited for')
    const again = new Asker()
    await all.ask(again, session(1), 2)
    const late = all.givenBack(b)
    await timers.pass(10_000)
    await late
    t.strictSame(again.losses, [2], 'nor one who does nothing')
    all.close()
  },
)

t.test('who waits and goes is not given it; who leaves gives it back', async (t) => {
  const { turns: all } = turns()
  const [a, b, c] = [new Asker(), new Asker(), new Asker()]
  await all.ask(a, session(1), 0)
  const gone = failure(all.ask(b, session(2), 0))
  const third = all.ask(c, session(3), 0)
  t.equal(await failure(all.ask(c, session(3), 0)), 'BAD_ARGUMENT', 'asked twice')
  all.leave(b, true)
  t.equal(await gone, 'CHAIN_CLOSED')
  all.leave(a, true)
  t.equal(await third, 2)
  all.close()
})

t.test('a turn that cannot be kept durable is not given', async (t) => {
  const save = (): Promise<void> => Promise.reject(new AteError('INPUT_OUTPUT', 'No.'))
  const state = { term: 0, session: null }
  const all = new Turns({
    timers: new ManualTimers(),
    graceMs: 1,
    waitMs: 10,
    state,
    save,
    settled: () => Promise.resolve(),
  })
  t.equal(await failure(all.ask(new Asker(), session(1), 0)), 'INPUT_OUTPUT')
  all.close()
})

t.test('after a restart the turn is kept for the session that had it', async (t) => {
  const stores = new MemoryStores()
  const first = serverOn(stores)
  const writer = await (await TestClient.to(first, 1)).create('notes')
  const local = await LocalChain.make(100, 100)
  const { term } = await writer.turn(START)
  await writer.upload(term, await local.batches(1, 1))
  await writer.until(() => writer.accepted.at(-1) === 1)
  await first.close()
  const second = serverOn(stores, { limits: { graceMs: 300 } })
  const other = await (await TestClient.to(second, 2)).open('notes')
  t.equal(other.opened.sequence, 1)
  const waiting = other.turn(START)
  const back = await (await TestClient.to(second, 1)).open('notes')
  const given = await back.turn(local.point, { term })
  t.equal(given.term, term)
  t.equal(given.sequence, 1, 'what is still to be brought is told')
  await back.upload(term, await local.batches(2))
  await back.until(() => back.accepted.at(-1) === 2)
  await back.release(term)
  t.equal((await waiting).term, term + 1)
  t.equal((await waiting).sequence, 2)
  await second.close()
})

t.test('what is brought without the turn, or is none of the chain, is refused and changes nothing', async (t) => {
  const server = serverOn(new MemoryStores(), { limits: { graceMs: 200 } })
  const writer = await (await TestClient.to(server, 1)).create('notes')
  const other = await (await TestClient.to(server, 2)).open('notes')
  const local = await LocalChain.make(100, 100, 100)
  const { term } = await writer.turn(START)
  await other.upload(term, await local.batches())
  await other.until(() => other.refused.length === 1)
  t.match(other.refused, [{ term, sequence: 1, code: 'LOCK_LOST' }])
  t.equal(writer.refused.length, 0, 'that is nothing to who has it')
  // Without the first: refused, the turn is over, and what came behind it is not taken either.
  await writer.upload(term, await local.batches(2))
  await writer.upload(term, await local.batches(1))
  await writer.until(() => writer.refused.length > 0)
  t.match(writer.refused[0], { term, sequence: 1, code: 'CHAIN_GAP' })
  const given = await other.turn(START)
  t.equal(given.sequence, 0)
  await other.upload(given.term, await local.batches())
  await other.until(() => other.accepted.at(-1) === 3)
  // Who asks with another history is told so.
  t.equal(await failure(writer.turn({ sequence: 2, digest: new Uint8Array(32) })), 'CHAIN_FORKED')
  t.equal(await failure(writer.turn({ ...local.point, sequence: 2 })), 'CHAIN_FORKED')
  const back = writer.turn(local.point)
  await other.until(() => other.recalls.length === 1)
  await other.until(() => other.refused.length === 2)
  t.match(other.refused[1], { term: given.term, code: 'LOCK_LOST' }, 'it did not give it back')
  t.equal((await back).term, given.term + 1)
  await server.close()
})

t.test('who is given the turn has been sent everything before', async (t) => {
  const server = serverOn(new MemoryStores())
  const writer = await (await TestClient.to(server, 1)).create('notes')
  const local = await LocalChain.make(...Array.from({ length: 30 }, () => 20_000))
  const { term } = await writer.turn(START)
  const other = await (await TestClient.to(server, 2)).open('notes')
  await other.follow()
  const asked = other.turn(START).then((given) => ({ ...given, received: other.received.length }))
  await writer.upload(term, await local.batches())
  await writer.release(term)
  t.equal(writer.accepted.at(-1), 30, 'the answer to a release comes when all is durable')
  const { sequence, received } = await asked
  t.equal(sequence, 30)
  t.equal(received, 30)
  await server.close()
})

t.test('the time of who is recalled begins when he was sent all, and is bounded until then', async (t) => {
  for (const isTold of [true, false]) {
    const { turns: all, timers } = turns(undefined, 100_000)
    const [a, b] = [new Asker(), new Asker()]
    await all.ask(a, session(1), 0)
    all.noteTold(a, 1, false)
    const next = all.ask(b, session(2), 0)
    await timers.pass(50_000)
    t.ok(all.isHeldBy(a, 1))
    if (isTold) all.noteTold(a, 1, true)
    await timers.pass(9_000)
    t.ok(all.isHeldBy(a, 1))
    await timers.pass(1_000)
    t.strictSame(a.losses, [1])
    t.equal(await next, 2)
    all.close()
  }
})
