/** Requests and answers over connections in memory. */
import t from 'tap'
import { AteError } from '../../src/engine/error.js'
import { failure, failureDetail, Peer, type Point, START } from '../../src/sync/index.js'
import { connected, failure as codeOf, type ManualTimers, settled } from '../helpers/wire.js'
import { ManualTimers as Timers } from '../helpers/wire.js'

async function peers(timers?: ManualTimers) {
  const { client, server } = await connected()
  return { client: new Peer(client, timers), server: new Peer(server), raw: client, rawServer: server }
}

const point = (sequence: number): Point => ({ sequence, digest: new Uint8Array(32).fill(sequence) })

t.test('answers find their requests, in whatever order they come', async (t) => {
  const { client, server } = await peers()
  const asked: ((point: Point) => void)[] = []
  server.listen(1, { requests: { follow: () => new Promise((resolve) => asked.push(resolve)) } })
  const one = client.request(1, 'follow', START)
  const other = client.request(1, 'follow', START)
  await settled()
  asked[1]?.(point(2))
  t.equal((await other).sequence, 2)
  asked[0]?.(point(1))
  t.strictSame(await one, point(1))
  await client.close()
})

t.test('a failure comes with its code, its sentence, and what it has besides', async (t) => {
  const { client, server } = await peers()
  server.listen(0, {
    requests: {
      open: () => {
        throw failure('CHAIN_NOT_FOUND', 'There is no such chain.', { trust: 'distributed' })
      },
      list: () => {
        throw new TypeError('a defect')
      },
    },
  })
  const error: unknown = await client.request(0, 'open', { chain: 'a' }).catch((error: unknown) => error)
  t.match(error, { code: 'CHAIN_NOT_FOUND', message: 'There is no such chain.' })
  t.equal(failureDetail(error)?.trust, 'distributed')
  t.equal(await codeOf(client.request(0, 'list', { after: '' })), 'INPUT_OUTPUT')
  t.equal(await codeOf(client.request(0, 'barrier', {})), 'NOT_SUPPORTED')
  t.equal(await codeOf(client.request(7, 'barrier', {})), 'CHAIN_CLOSED')
  await client.close()
})

t.test('requests of unknown types fail, pushes of unknown types are passed over', async (t) => {
  const { client: raw, server: other } = await connected()
  const server = new Peer(other)
  raw.send([0, 3, 0, 'news', {}])
  raw.send([0, 0, 1, 'newer', { of: 'later' }])
  t.notOk(await Promise.race([server.closed.then(() => true), settled().then(() => false)]))
  await raw.close()
})

t.test('what is malformed ends the connection', async (t) => {
  const malformed = [
    7,
    [0, 9, 1, 'open', {}],
    [0, 0, 1, 'open', {}],
    [-1, 3, 0, 'head', {}],
    [0, 3, 0, 'head', { sequence: 1 }],
    [0, 1, 5, 'open', {}],
    [0, 3, 0, 'x'.repeat(33), {}],
  ]
  for (const message of malformed) {
    const { client, rawServer } = await connected().then(({ client, server }) => ({ client, rawServer: server }))
    const server = new Peer(rawServer)
    server.listen(0, { requests: { open: () => Promise.reject(new AteError('NOT_FOUND', 'none')) } })
    client.send(message)
    t.equal((await server.closed).code, 'BAD_FORMAT', JSON.stringify(message))
  }
})

t.test('whoever waits is given up, timed out, or told why the connection ended', async (t) => {
  const timers = new Timers()
  const { client, server } = await peers(timers)
  server.listen(1, { requests: { barrier: () => new Promise(() => undefined) } })
  const stop = new AbortController()
  const aborted = codeOf(client.request(1, 'barrier', {}, { signal: stop.signal }))
  const late = codeOf(client.request(1, 'barrier', {}, { timeoutMs: 50 }))
  const lost = codeOf(client.request(1, 'barrier', {}))
  stop.abort()
  t.equal(await aborted, 'ABORTED')
  await timers.pass(50)
  t.equal(await late, 'TIMED_OUT')
  await server.close(new AteError('TIMED_OUT', 'The server ends.'))
  t.equal(await lost, 'TIMED_OUT')
  t.equal(await codeOf(client.request(1, 'barrier', {})), 'TIMED_OUT')
  t.equal(timers.pending, 0)
})

t.test('an answer that comes after its request was given up is passed over', async (t) => {
  const { client, server } = await peers()
  let answer: (point: Point) => void = () => undefined
  server.listen(1, {
    requests: { barrier: () => new Promise((resolve) => (answer = resolve)), follow: () => point(3) },
  })
  const stop = new AbortController()
  const aborted = codeOf(client.request(1, 'barrier', {}, { signal: stop.signal }))
  await settled()
  stop.abort()
  t.equal(await aborted, 'ABORTED')
  answer(point(1))
  t.equal((await client.request(1, 'follow', START)).sequence, 3)
  await client.close()
})

t.test('requests that nobody answers are bounded on both sides', async (t) => {
  const { client, server, raw } = await peers()
  server.listen(1, { requests: { barrier: () => new Promise(() => undefined) } })
  const all = Array.from({ length: 256 }, () => codeOf(client.request(1, 'barrier', {})))
  t.equal(await codeOf(client.request(1, 'barrier', {})), 'LAGGED')
  await settled()
  raw.send([1, 0, 999, 'barrier', {}])
  t.equal((await server.closed).code, 'BAD_FORMAT')
  t.strictSame(new Set(await Promise.all(all)), new Set(['BAD_FORMAT']))
})

t.test('pushes go to their channel, in order, and a handler that waits keeps what follows waiting', async (t) => {
  const { client, server } = await peers()
  const seen: string[] = []
  let goOn: () => void = () => undefined
  client.listen(1, {
    pushes: {
      recall: async ({ term }) => {
        seen.push(`one ${term}`)
        await new Promise<void>((resolve) => (goOn = resolve))
      },
    },
  })
  client.listen(2, { pushes: { recall: ({ term }) => void seen.push(`two ${term}`) } })
  server.push(1, 'recall', { term: 1 })
  server.push(3, 'recall', { term: 9 })
  server.push(2, 'recall', { term: 2 })
  await settled()
  t.strictSame(seen, ['one 1'])
  goOn()
  await settled()
  t.strictSame(seen, ['one 1', 'two 2'])
  client.forget(2)
  server.push(2, 'recall', { term: 3 })
  await settled()
  t.equal(seen.length, 2)
  await client.close()
})
