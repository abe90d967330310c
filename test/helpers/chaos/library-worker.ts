/**
 * A program that uses a chain of a server through the library, as its parent says. Started with fork() with the address of the server,
 * a directory, and the name of the recovery mode; says `{ ready }`. Each `{ id, ... }` is answered with `{ id, outcome }` or `{ id, code }`.
 */
import {
  AteConfig,
  type Chain,
  type DaoMut,
  dataType,
  type DioMut,
  errorCode,
  mapOf,
  type ObjectKey,
  objectKey,
  plain,
  Registry,
  vecOf,
} from '../../../src/index.js'
import { parseRecoveryMode } from '../../../src/client/index.js'
import type { Operation } from '../linearizable.js'

const Item = dataType('ChaosItem', plain<{ item: string }>())
const Value = dataType('ChaosValue', plain<{ value: string }>(), {
  links: { members: mapOf(Item), items: vecOf(Item) },
})
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

/** A register is a field, a set a map of objects by their names, and a queue a vec of objects. */
async function apply(
  dio: DioMut,
  object: DaoMut<typeof Value>,
  { kind, value }: Pick<Operation, 'kind' | 'value'>,
): Promise<string | boolean> {
  const { members, items } = object
  switch (kind) {
    case 'read':
      return object.value
    case 'write':
      object.value = value
      return ''
    case 'has':
      return await members.has(value)
    case 'add':
      if (await members.has(value)) return false
      members.set(value, { item: value })
      return true
    case 'remove':
      return await members.delete(value)
    case 'push':
      items.push({ item: value })
      return ''
    case 'take': {
      for await (const first of items) {
        const { item } = first
        dio.delete(first)
        return item
      }
      return ''
    }
  }
}

async function operate(chain: Chain, key: ObjectKey, operation: Pick<Operation, 'kind' | 'value'>): Promise<unknown> {
  // What changes nothing in the end asks nobody for the turn.
  await chain.refresh()
  return await chain.transact(async (dio) => await apply(dio, await dio.load(Value, key), operation), ON_SERVER)
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
