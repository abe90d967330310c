/** `npm run bench:server`: what a server takes and hands on, beside a JetStream file stream of nats-server where there is one. */
import { readFileSync } from 'node:fs'
import { clientOf, finish, type Load, prepare, startAtedb } from './atedb.js'
import { natsRate, startNats } from './nats.js'

const BATCHES = 20_000
const BYTES = 1024
const IN_FLIGHT = 64
const SUBSCRIBERS = 200
const DELIVERED = 500
const LATENCIES = 500
const IDLE = 200

function say(what: string, value: number, unit: string): void {
  console.log(`${what.padEnd(64)} ${value.toLocaleString('en', { maximumFractionDigits: 1 }).padStart(10)} ${unit}`)
}

/** Brings all, never more than so many unacknowledged. Resolves with the seconds until the last is acknowledged. */
async function bring({ writer, chain, term }: Load, inFlight: number): Promise<number> {
  const batches = await chain.batches()
  const startMs = performance.now()
  let sent = 0
  const done = (): number => writer.accepted.at(-1) ?? 0
  while (done() < batches.length) {
    const next = batches.slice(sent, done() + inFlight)
    if (next.length > 0) await writer.upload(term, next)
    sent += next.length
    const before = done()
    await writer.until(() => done() > before)
  }
  return (performance.now() - startMs) / 1000
}

async function acknowledged(flags: readonly string[], name: string): Promise<void> {
  const load = await prepare(await startAtedb(flags), BATCHES, BYTES, 1)
  say(
    `(a) batches of 1 KiB acknowledged, ${IN_FLIGHT} in flight, ${name}`,
    BATCHES / (await bring(load, IN_FLIGHT)),
    '/s',
  )
  await finish(load)
}

async function delivered(): Promise<void> {
  const load = await prepare(await startAtedb([]), DELIVERED, BYTES, SUBSCRIBERS)
  const startMs = performance.now()
  const all = load.readers.map((reader) => reader.until(() => reader.received.length >= DELIVERED))
  await Promise.all([bring(load, IN_FLIGHT), ...all])
  say(
    `(b) messages delivered to ${SUBSCRIBERS} subscribers`,
    (1000 * DELIVERED * SUBSCRIBERS) / (performance.now() - startMs),
    '/s',
  )
  await finish(load)
}

async function latency(): Promise<void> {
  const load = await prepare(await startAtedb([]), LATENCIES, BYTES, 1)
  const { writer, term, readers, chain } = load
  const times: number[] = []
  for (const [at, batch] of (await chain.batches()).entries()) {
    const startMs = performance.now()
    await writer.upload(term, [batch])
    await readers[0]?.until(() => (readers[0]?.received.length ?? 0) > at)
    times.push(performance.now() - startMs)
  }
  times.sort((a, b) => a - b)
  for (const part of [0.5, 0.99])
    say(`(c) from a writer to a reader, p${100 * part}`, times[Math.floor(part * times.length)] ?? 0, 'ms')
  await finish(load)
}

async function idle(): Promise<void> {
  const server = await startAtedb([])
  const memory = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1])
  const clients = [await clientOf(server, 1)]
  const before = memory()
  for (let i = 0; i < IDLE; i++) clients.push(await clientOf(server, 1))
  say(`(d) memory of an idle connection, of ${IDLE}`, (memory() - before) / IDLE, 'KiB')
  for (const { peer } of clients) await peer.close()
  await server.end()
}

await acknowledged([], '128 bits')
await acknowledged(['--no-wire-encryption', '-t', 'centralized'], 'as the client wants')
const nats = await startNats()
if (nats === undefined) console.log('    (nats-server is not installed)')
else {
  say(`    ${nats.version}, file stream, not synced for each`, await natsRate(BATCHES, BYTES, IN_FLIGHT), '/s')
  await nats.end()
}
await delivered()
await latency()
await idle()
