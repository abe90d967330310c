/** Two ends of a connection, and what tests need around them. */
import { deflate } from '../../src/adapters/node/deflate.js'
import { nativeCrypto as crypto } from '../../src/adapters/node/native-crypto.js'
import { signingKeyFromSeed } from '../../src/engine/crypto/signature.js'
import {
  accept,
  type AcceptOptions,
  connect,
  type Connection,
  type ConnectOptions,
  MemoryKnownServers,
  memoryTransports,
  serverKeyId,
  signerOf,
  type Timers,
  type Transport,
} from '../../src/wire/index.js'

export { crypto, deflate }

/** Making a key takes milliseconds: a few serve all tests. */
export const identity = signerOf(crypto, signingKeyFromSeed(new Uint8Array(64).fill(1)))
export const otherIdentity = signerOf(crypto, signingKeyFromSeed(new Uint8Array(64).fill(2)))
export const someKey = signerOf(crypto, signingKeyFromSeed(new Uint8Array(64).fill(3)))
export const identityId = serverKeyId(crypto, identity)

export const TARGET = 'localhost:5000/db'

export function clientOptions(options: Partial<ConnectOptions> = {}): ConnectOptions {
  const trust = { server: 'localhost:5000', known: new MemoryKnownServers() }
  return { crypto, target: TARGET, trust, ...options }
}

export function serverOptions(options: Partial<AcceptOptions> = {}): AcceptOptions {
  return { crypto, identity, ...options }
}

export interface Pair {
  client: Connection
  server: Connection
}

/** Both ends over given transports, in memory unless told. Fails as the client does. */
export async function connected(
  client: Partial<ConnectOptions> = {},
  server: Partial<AcceptOptions> = {},
  [here, there]: readonly [Transport, Transport] = memoryTransports(),
): Promise<Pair> {
  const [one, other] = await Promise.allSettled([
    connect(here, clientOptions(client)),
    accept(there, serverOptions(server)),
  ])
  if (one.status === 'rejected') throw one.reason
  if (other.status === 'rejected') throw other.reason
  return { client: one.value, server: other.value }
}

/** The next `count` messages. */
export async function take(connection: Connection, count: number): Promise<unknown[]> {
  const messages: unknown[] = []
  if (count === 0) return messages
  for await (const message of connection) if (messages.push(message) === count) break
  return messages
}

/** The error a promise fails with, as its code; `resolved` when it does not. */
export async function failure(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return 'resolved'
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  }
}

/** Time that goes on when it is told to. */
export class ManualTimers implements Timers {
  #now = 0
  readonly #pending = new Map<object, { at: number; run: () => void }>()

  /** Timers that were set and neither ran nor were given up. */
  get pending(): number {
    return this.#pending.size
  }

  after(ms: number, run: () => void): () => void {
    const key = {}
    this.#pending.set(key, { at: this.#now + ms, run })
    return () => this.#pending.delete(key)
  }

  soon(run: () => void): void {
    queueMicrotask(run)
  }

  /** Runs what is due until then, in order, and lets promises settle in between. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms
    for (;;) {
      const due = [...this.#pending].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0]
      if (due === undefined) break
      this.#now = due[1].at
      this.#pending.delete(due[0])
      due[1].run()
      await settled()
    }
    this.#now = end
    await settled()
  }
}

/** What was under way in memory has arrived. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
}
