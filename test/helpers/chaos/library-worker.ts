/**
 * A program that uses a chain of a server through the library, as its parent says. Started with fork() with the address of the server,
 * a directory, and the name of the recovery mode; says `{ ready }`. Each `{ id, ... }` is answered with `{ id, outcome }` or `{ id, code }`.
 */
import {
  AteConfig,
  type Chain,
  dataType,
  errorCode,
  type ObjectKey,
  objectKey,
  plain,
  Registry,
} from '../../../src/index.js'
import { parseRecoveryMode } from '../../../src/client/index.js'
import type { Operation } from '../linearizable.js'

const Value = dataType('ChaosValue', plain<{ value: string }>())
const Job = dataType('ChaosJob', plain<{ job: string }>())
const Done = dataType('ChaosDone', plain<{ job: string; by: number }>())

export type LibraryCall =
  | { call: 'make' }
  | { call: 'operate'; key: string; operation: Pick<Operation, 'kind' | 'value'> }
  | { call: 'send'; job: string }
  /** Handles jobs until it is ended. */
  | { call: 'process' }
  | { call: 'done' }
  | { call: 'lock'; name: string; holdMs: number }
  | { call: 'close' }

export interface LibraryAnswer {
  id: number
  outcome?: unknown
  code?: string
}

const [url = '', directory = '', mode = 'sync'] = process.argv.slice(2)
const ON_SERVER = { durability: 'server', retries: 1000 } as const
const config = AteConfig.default().with({
  passphrase: 'secret',
  logPath: `${directory}/logs`,
  knownServers: `${directory}/known`,
  recoveryMode: parseRecoveryMode(mode),
})
const registry = new Registry(config)

/** The outcome of an operation, and the state behind it: undefined when it leaves that as it is. */
function applied(state: string, { kind, value }: Pick<Operation, 'kind' | 'value'>): [string | boolean, string?] {
  const items = state.split(',').filter(Boolean)
  const isIn = items.includes(value)
  if (kind === 'read') return [state]
  if (kind === 'write') return ['', value]
  if (kind === 'has') return [isIn]
  if (kind === 'add') return isIn ? [false] : [true, [...items, value].join()]
  if (kind === 'remove') return isIn ? [true, items.filter((item) => item !== value).join()] : [false]
  if (kind === 'push') return ['', [...items, value].join()]
  const [first = '', ...rest] = items
  return first === '' ? [''] : [first, rest.join()]
}

async function operate(chain: Chain, key: ObjectKey, operation: Pick<Operation, 'kind' | 'value'>): Promise<unknown> {
  // What changes nothing in the end asks nobody for the turn.
  await chain.refresh()
  return await chain.transact(async (dio) => {
    const object = await dio.load(Value, key)
    const [outcome, next] = applied(object.value, operation)
    if (next !== undefined) object.value = next
    return outcome
  }, ON_SERVER)
}

async function done(chain: Chain): Promise<string[]> {
  await chain.refresh()
  const jobs: string[] = []
  for await (const { job } of chain.dio().roots(Done)) jobs.push(job)
  return jobs.sort()
}

async function answer(chain: Chain, call: LibraryCall): Promise<unknown> {
  switch (call.call) {
    case 'make':
      return (await chain.transact((dio) => dio.store({ value: '' }, { type: Value }), ON_SERVER)).key
    case 'operate':
      return await operate(chain, objectKey(call.key), call.operation)
    case 'send': {
      const jobs = await chain.queue('jobs', Job)
      await chain.transact((dio) => jobs.sendIn(dio, { job: call.job }), ON_SERVER)
      return null
    }
    case 'process': {
      const jobs = await chain.queue('jobs', Job, { leaseMs: 1000, maxAttempts: 1000, retryDelayMs: 10 })
      await jobs.process(({ job }, dio) => void dio.store({ job, by: process.pid }, { type: Done }))
      return null
    }
    case 'done':
      return await done(chain)
    case 'lock': {
      const lock = await chain.lock(call.name, { leaseMs: 2000, timeoutMs: 20_000 })
      const from = Date.now()
      await new Promise((resolve) => setTimeout(resolve, call.holdMs))
      const to = Date.now()
      lock.unlock()
      return [from, to, lock.fence]
    }
    case 'close':
      await registry.close()
      return null
  }
}

const { chain } = await registry.open(url)
process.on('message', (message) => {
  const { id, ...call } = message as LibraryCall & { id: number }
  answer(chain, call).then(
    (outcome) => process.send?.({ id, outcome }),
    (error: unknown) => process.send?.({ id, code: errorCode(error) ?? String(error) }),
  )
})
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'))
process.send?.({ ready: true })
