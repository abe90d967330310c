/** Requests and answers. */
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { dataType } from '../../../src/engine/dio/data-type.js'
import type { DioMut } from '../../../src/engine/dio/dio-mut.js'
import { type Validator, vote } from '../../../src/engine/dio/hooks/plugin.js'
import { service } from '../../../src/engine/dio/service.js'
import { plain, type StandardSchema } from '../../../src/engine/dio/standard-schema.js'
import { AteError } from '../../../src/engine/error.js'
import { onEveryChain } from '../../helpers/every-chain.js'
import { collected, memoryChain, Note } from '../../helpers/objects.js'

const Ping = dataType('Ping', plain<{ text: string }>())
const Pong = dataType('Pong', plain<{ text: string; by: number }>(), { index: ['by'] })
const ping = service('ping', Ping, Pong)

await onEveryChain('a request is answered', async (t, open) => {
  await using chain = await open()
  const end = new AbortController()
  const serving = chain.serve(ping, ({ text }) => ({ text: `pong ${text}`, by: 1 }), { signal: end.signal })
  t.equal((await chain.invoke(ping, { text: 'hi' })).text, 'pong hi')
  end.abort()
  await serving
})

await onEveryChain('requests are shared among those who serve, each answered once to who asked', async (t, open) => {
  await using chain = await open()
  const end = new AbortController()
  const { signal } = end
  const answered: number[] = []
  const serving = [1, 2, 3].map((by) =>
    chain.serve(
      ping,
      async ({ text }, dio) => {
        answered.push(by)
        dio.store({ text }, { type: Note })
        await sleep(2)
        return { text, by }
      },
      { signal },
    ),
  )
  const answers = await Promise.all(Array.from({ length: 30 }, (_, i) => chain.invoke(ping, { text: `${i}` })))
  t.strictSame(answers.map(({ text }) => text), Array.from({ length: 30 }, (_, i) => `${i}`)) // prettier-ignore
  t.equal((await collected(chain.dio().roots(Note))).length, 30, 'what they did happened once')
  t.equal(new Set(answered).size, 3)
  end.abort()
  await Promise.all(serving)
})

await onEveryChain('what a handler throws comes to who asked, and what it did has not happened', async (t, open) => {
  await using chain = await open()
  const end = new AbortController()
  const serving = chain.serve(
    ping,
    ({ text }, dio) => {
      dio.store({ text }, { type: Note })
      if (text === 'known') throw new AteError('NOT_PERMITTED', 'You may not.')
      throw new Error('Something else.')
    },
    { signal: end.signal },
  )
  const known = { code: 'SERVICE_FAILED', message: 'You may not.', cause: { code: 'NOT_PERMITTED' } }
  await t.rejects(chain.invoke(ping, { text: 'known' }), known)
  await t.rejects(chain.invoke(ping, { text: 'other' }), { code: 'SERVICE_FAILED', message: 'Something else.' })
  t.equal((await collected(chain.dio().roots(Note))).length, 0)
  end.abort()
  await serving
})

await onEveryChain('nobody waits for ever', async (t, open) => {
  await using chain = await open()
  await t.rejects(chain.invoke(ping, { text: 'x' }, { timeoutMs: 20 }), { code: 'TIMED_OUT' })
  await t.rejects(chain.invoke(ping, { text: 'x' }, { signal: AbortSignal.abort() }), { code: 'ABORTED' })
  const queue = await chain.queue('service ping', Ping)
  t.equal(await queue.length(), 0, 'and no request is left behind')
})

await onEveryChain('a request that one server does not come to an end with is answered by another', async (t, open) => {
  await using chain = await open()
  const end = new AbortController()
  let release = (): void => undefined
  const stuck = new Promise<void>((resolve) => (release = resolve))
  const askedFrom: number[] = []
  const serving = [1, 2].map((by) =>
    chain.serve(
      ping,
      async ({ text }, dio) => {
        askedFrom.push(by)
        dio.store({ text: `${by}` }, { type: Note })
        if (askedFrom.length === 1) await stuck
        return { text, by }
      },
      { signal: end.signal, leaseMs: 50 },
    ),
  )
  const { by } = await chain.invoke(ping, { text: 'x' })
  t.equal(askedFrom.length, 2)
  t.equal(by, askedFrom[1])
  release()
  end.abort()
  await Promise.all(serving)
  const done = (await collected(chain.dio().roots(Note))).map(({ text }) => text)
  t.strictSame(done, [`${by}`], 'what the first one did comes to nothing')
})

await onEveryChain('an answer that its schema refuses comes to who asked as an error, at once', async (t, open) => {
  await using chain = await open()
  const Even = dataType('Even', {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value: { number: number }) =>
        value.number % 2 === 0 ? { value } : { issues: [{ message: 'odd', path: ['number'] }] },
    },
  } as StandardSchema<{ number: number }>)
  const even = service('even', Ping, Even)
  const end = new AbortController()
  let calls = 0
  const answerer = ({ text }: { text: string }, dio: DioMut) => {
    calls++
    dio.store({ text }, { type: Note })
    return { number: Number(text) }
  }
  const serving = chain.serve(even, answerer, { signal: end.signal })
  const refused = { code: 'SERVICE_FAILED', cause: { code: 'INVALID_OBJECT' }, message: /number/ }
  await t.rejects(chain.invoke(even, { text: '1' }, { timeoutMs: 5000 }), refused)
  t.equal(calls, 1)
  t.equal((await chain.invoke(even, { text: '2' })).number, 2)
  t.strictSame((await collected(chain.dio().roots(Note))).map(({ text }) => text), ['2']) // prettier-ignore
  end.abort()
  await serving
})

await t.test(
  'an answer that is refused when it is committed comes back as an error, without a second try',
  async (t) => {
    const validate: Validator = (commit) =>
      commit.of(Note).some(({ fields }) => fields?.text === 'no') ? vote.deny('a note says no') : vote.allow
    await using chain = await memoryChain({}, [{ name: 'judge', validators: [validate] }])
    const end = new AbortController()
    let calls = 0
    const answerer = ({ text }: { text: string }, dio: DioMut) => {
      calls++
      dio.store({ text }, { type: Note })
      return { text, by: 1 }
    }
    const serving = chain.serve(ping, answerer, { signal: end.signal, retryDelayMs: 1 })
    const refused = { code: 'SERVICE_FAILED', cause: { code: 'REFUSED' }, message: /a note says no/ }
    await t.rejects(chain.invoke(ping, { text: 'no' }, { timeoutMs: 5000 }), refused)
    t.equal(calls, 1)
    t.equal((await chain.invoke(ping, { text: 'yes' })).text, 'yes')
    end.abort()
    await serving
  },
)

await t.test('what fails each time comes back as an error after the last', async (t) => {
  let failures = 0
  const validate: Validator = (commit) => {
    if (!commit.of(Note).some(({ fields }) => fields?.text === 'no')) return vote.allow
    failures++
    throw new Error('The validator is broken.')
  }
  await using chain = await memoryChain({}, [{ name: 'judge', validators: [validate] }])
  const end = new AbortController()
  const answerer = ({ text }: { text: string }, dio: DioMut) => {
    dio.store({ text }, { type: Note })
    return { text, by: 1 }
  }
  const serving = chain.serve(ping, answerer, { signal: end.signal, retryDelayMs: 1, maxAttempts: 3 })
  const failed = { code: 'SERVICE_FAILED', cause: { code: 'HOOK_FAILED' } }
  await t.rejects(chain.invoke(ping, { text: 'no' }, { timeoutMs: 5000 }), failed)
  t.equal(failures, 3)
  const queue = await chain.queue('service ping', Ping)
  t.equal(await queue.length(), 0)
  t.strictSame(await collected(queue.dead()), [])
  end.abort()
  await serving
})

await t.test('answers that nobody has fetched are taken away after an hour', async (t) => {
  let nowMs = 1_800_000_000_000
  await using chain = await memoryChain({ clock: () => nowMs })
  const end = new AbortController()
  const serving = chain.serve(ping, ({ text }) => ({ text, by: 1 }), { signal: end.signal })
  // As a program does that ends before its answer comes.
  const queue = await chain.queue('service ping', Ping)
  await queue.send({ text: 'nobody waits' })
  while ((await queue.length()) > 0) await sleep(5)
  const replies = async (): Promise<number> => (await collected(chain.dio().find(Pong, 'by', 1))).length
  t.equal(await replies(), 1)
  nowMs += 59 * 60_000
  await chain.invoke(ping, { text: 'a' })
  t.equal(await replies(), 1, 'it may still be fetched')
  nowMs += 2 * 60_000
  await chain.invoke(ping, { text: 'b' })
  for (let i = 0; i < 200 && (await replies()) > 0; i++) await sleep(5)
  t.equal(await replies(), 0)
  end.abort()
  await serving
})
