/** Locks of files on two mounts of one chain that a server keeps: they hold among machines, and go with who holds them. */
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { Locker, servedMounts } from '../helpers/served-mounts.js'

const machines = await servedMounts(t, ['a', 'b'])
const a = await machines.mount('a', '--recovery-mode', 'sync')
const b = await machines.mount('b', '--recovery-mode', 'readonly-sync')
let files = 0

/** A process on each machine with one file open. */
async function both(t: Test): Promise<[Locker, Locker, string]> {
  const name = `file${++files}`
  const one = await Locker.open(t, `${a}/${name}`)
  return [one, await Locker.open(t, `${b}/${name}`), name]
}

for (const kind of ['flock', 'fcntl', 'ofd']) {
  await t.test(`${kind}: one holder among machines, free with unlock, with close and with kill -9`, async (t) => {
    const [one, other, name] = await both(t)
    t.equal(await one.ask(`lock ${kind} 0 0`), 'ok')
    t.equal(await other.ask(`lock ${kind} 0 0`), 'EAGAIN')
    const beside = await Locker.open(t, `${a}/${name}`)
    t.equal(await beside.ask(`lock ${kind} 0 0`), 'EAGAIN', 'nor another process on the same machine')
    t.equal(await one.ask(`unlock ${kind} 0 0`), 'ok')
    t.equal(await other.ask(`lock ${kind} 0 0`), 'ok')
    const waiting = one.ask(`wait ${kind} 0 0`)
    await other.end()
    t.equal(await waiting, 'ok', 'whoever waits has it when the holder is killed')
    t.equal(await beside.ask(`share ${kind} 0 0`), 'EAGAIN')
    await one.end('SIGTERM')
    t.equal(await beside.ask(`share ${kind} 0 0`), 'ok')
    const reader = await Locker.open(t, `${b}/${name}`)
    t.equal(await reader.ask(`share ${kind} 0 0`), 'ok', 'shared ones are beside each other')
    t.equal(await reader.ask(`lock ${kind} 0 0`), 'EAGAIN')
    await Promise.all([beside.end(), reader.end()])
  })
}

await t.test('fcntl: ranges are independent, and who has one is told', async (t) => {
  const [one, other] = await both(t)
  t.equal(await one.ask('lock fcntl 0 100'), 'ok')
  t.equal(await other.ask('lock fcntl 100 100'), 'ok')
  t.equal(await other.ask('lock fcntl 99 1'), 'EAGAIN')
  t.equal(await other.ask('test 0 0'), 'exclusive 0 100 elsewhere')
  t.equal(await one.ask('unlock fcntl 10 20'), 'ok')
  t.equal(await other.ask('share fcntl 10 20'), 'ok')
  t.equal(await one.ask('test 10 5'), 'shared 10 20 elsewhere')
  t.equal(await one.ask('test 300 5'), 'free')
  t.equal(await one.ask('lock flock 0 0'), 'ok', 'the two kinds do not see each other')
})

await t.test('fcntl: two that would wait for each other are told', async (t) => {
  const [one, other] = await both(t)
  t.equal(await one.ask('lock fcntl 0 1'), 'ok')
  t.equal(await other.ask('lock fcntl 1 1'), 'ok')
  const waiting = one.ask('wait fcntl 1 1')
  await sleep(200)
  t.equal(await other.ask('wait fcntl 0 1'), 'EDEADLK')
  t.equal(await other.ask('unlock fcntl 0 0'), 'ok')
  t.equal(await waiting, 'ok')
})

await t.test('who waits for a lock is interrupted by a signal, and has not got it', async (t) => {
  const [one, other] = await both(t)
  t.equal(await one.ask('lock flock 0 0'), 'ok')
  const waiting = other.ask('wait flock 0 0')
  await sleep(200)
  other.interrupt()
  t.equal(await waiting, 'EINTR')
  t.equal(await one.ask('unlock flock 0 0'), 'ok')
  t.equal(await one.ask('lock flock 0 0'), 'ok')
})

await t.test(
  'whoever has the lock reads what the one before has written, also in a file that he has open',
  async (t) => {
    const [one, other] = await both(t)
    const lines: string[] = []
    for (let i = 0; i < 10; i++) {
      for (const [who, locker] of [
        ['a', one],
        ['b', other],
      ] as const) {
        t.equal(await locker.ask('wait fcntl 0 0'), 'ok')
        t.equal(await locker.ask('read'), lines.map((line) => `${line} `).join(''))
        t.equal(await locker.ask(`append ${who}${i}`), 'ok')
        lines.push(`${who}${i}`)
        t.equal(await locker.ask('unlock fcntl 0 0'), 'ok')
      }
    }
  },
)

await t.test('a server that is killed and started again: every kind of lock is held on, by nobody else', async (t) => {
  const held = await Promise.all(['flock', 'fcntl', 'ofd'].map(async (kind) => ({ kind, who: await both(t) })))
  for (const { kind, who } of held) t.equal(await who[0].ask(`lock ${kind} 0 0`), 'ok')
  const [, , name] = held[1]?.who ?? []
  const waiter = await Locker.open(t, `${b}/${name}`)
  const waiting = waiter.ask('wait fcntl 0 0')
  await machines.restart()
  for (const { kind, who } of held) t.equal(await who[1].ask(`lock ${kind} 0 0`), 'EAGAIN', kind)
  for (const { who } of held) t.equal(await who[0].ask('append kept'), 'ok', 'who has it goes on')
  t.equal(await held[1]?.who[0].ask('unlock fcntl 0 0'), 'ok')
  t.equal(await waiting, 'ok')
  t.equal(await waiter.ask('read'), 'kept ')
})

const skip = process.env['ATEFS_TEST_LONG'] === undefined ? 'takes as long as locks are kept: ATEFS_TEST_LONG=1' : false
await t.test(
  'who was cut off for longer than a lease, over a restart of the server, has lost it',
  { skip },
  async (t) => {
    const [one, other] = await both(t)
    t.equal(await one.ask('lock flock 0 0'), 'ok')
    machines.way('a').part()
    await machines.restart()
    t.equal(await other.ask('wait flock 0 0'), 'ok', 'after a while')
    machines.way('a').heal()
    await one.until('append lost', 'EIO')
    t.equal(await other.ask('append mine'), 'ok')
  },
)
