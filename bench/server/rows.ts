/** What is measured, once each: on both sides the server, the writer and the subscribers are programs of their own. */
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { median } from '../lib/report.js'
import { Part, type PartName, type PartOptions } from './program.js'
import { residentKiB, type Server, startAtedb, startFloor, startNats } from './servers.js'

export interface Sizes {
  /** Commits of a run. */
  readonly count: number
  /** Before them, not timed. */
  readonly warmUp: number
  readonly bytes: number
  readonly inFlight: number
  readonly subscribers: number
  readonly delivered: number
  readonly delays: number
  readonly idle: number
}

export interface Place {
  readonly directory: string
  readonly profileDir?: string | undefined
  readonly sizes: Sizes
}

export type Trust = 'centralized' | 'distributed'

/** Commits acknowledged in a second, with one subscriber, which has got all. */
export async function atefsRate(place: Place, trust: Trust, sizes = place.sizes): Promise<number> {
  const { count, warmUp } = sizes
  return withAtedb(place, trust, async (server) => {
    const options = { ...partOptions(place, server, trust), count, warmUp }
    const copy = await mkdtemp(join(place.directory, 'copy-'))
    const writer = await Part.start('atefs-writer', { ...options, directory: copy }, place.profileDir)
    const reader = await Part.start('atefs-reader', options, place.profileDir)
    const [{ seconds }] = await Promise.all([writer.run(), reader.run()])
    await rm(copy, { recursive: true })
    return count / seconds
  })
}

/** The same with nothing that can be left out: what any such system in this language may reach here. */
export async function floorRate(place: Place): Promise<number> {
  const { sizes, directory } = place
  const server = await startFloor(directory, sizes)
  try {
    const options = { ...partOptions(place, server, 'centralized'), warmUp: sizes.warmUp }
    const reader = await Part.start('floor-reader', options, place.profileDir)
    const writer = await Part.start('floor-writer', options, place.profileDir)
    const [{ seconds }] = await Promise.all([writer.run(), reader.run()])
    return sizes.count / seconds
  } finally {
    await server.end()
  }
}

export async function natsRate(place: Place): Promise<number> {
  return withNats(place, async (server) => {
    const options = { ...partOptions(place, server, 'centralized'), warmUp: place.sizes.warmUp }
    const writer = await Part.start('nats-writer', options)
    const readers = await Part.start('nats-readers', options)
    const [{ seconds }] = await Promise.all([writer.run(), readers.run()])
    return options.count / seconds
  })
}

/** Messages delivered in a second, to all subscribers together. */
export async function atefsDeliveries(place: Place): Promise<number> {
  const { delivered, subscribers } = place.sizes
  return withAtedb(place, 'centralized', async (server) => {
    const options = { ...partOptions(place, server, 'centralized'), count: delivered, subscribers }
    const writer = await Part.start('atefs-writer', options, place.profileDir)
    const followers = await Part.start('atefs-followers', options, place.profileDir)
    const startMs = performance.now()
    await writer.run()
    await followers.run()
    return (1000 * delivered * subscribers) / (performance.now() - startMs)
  })
}

export async function natsDeliveries(place: Place): Promise<number> {
  const { delivered, subscribers } = place.sizes
  return withNats(place, async (server) => {
    const options = { ...partOptions(place, server, 'centralized'), count: delivered, subscribers }
    const writer = await Part.start('nats-writer', options)
    const readers = await Part.start('nats-readers', options)
    const startMs = performance.now()
    await Promise.all([writer.run(), readers.run()])
    return (1000 * delivered * subscribers) / (performance.now() - startMs)
  })
}

/** Milliseconds from a commit on one client until another one's program is told of it: the median, and the 99th percentile. */
export async function atefsDelay(place: Place): Promise<{ p50: number; p99: number }> {
  return withAtedb(place, 'centralized', async (server) => {
    const options = { ...partOptions(place, server, 'centralized'), count: place.sizes.delays, inFlight: 1 }
    const writer = await Part.start('atefs-writer', options)
    const reader = await Part.start('atefs-reader', options)
    const [, { delays = [] }] = await Promise.all([writer.run(), reader.run()])
    const sorted = [...delays].sort((a, b) => a - b)
    return { p50: median(sorted), p99: sorted[Math.floor(0.99 * sorted.length)] ?? NaN }
  })
}

/** KiB of the server for a connection that follows a chain and to which nothing happens. */
export async function atefsIdle(place: Place): Promise<number> {
  return withAtedb(place, 'centralized', (server) => idle(place, server, 'atefs-writer', 'atefs-followers'))
}

export async function natsIdle(place: Place): Promise<number> {
  return withNats(place, (server) => idle(place, server, 'nats-writer', 'nats-readers'))
}

async function idle(place: Place, server: Server, writer: PartName, readers: PartName): Promise<number> {
  const options = { ...partOptions(place, server, 'centralized'), count: 1, inFlight: 1 }
  const first = await Part.start(writer, options)
  const warm = await Part.start(readers, { ...options, subscribers: 20 })
  const before = await residentKiB(server)
  const all = await Part.start(readers, { ...options, subscribers: place.sizes.idle })
  const kib = ((await residentKiB(server)) - before) / place.sizes.idle
  await Promise.all([first.run(), warm.run(), all.run()])
  return kib
}

function partOptions({ sizes }: Place, { address, serverKey }: Server, trust: Trust): PartOptions {
  const { count, bytes, inFlight } = sizes
  return { address, serverKey, trust, count, warmUp: 0, bytes, inFlight, subscribers: 1 }
}

async function withAtedb<T>(place: Place, trust: Trust, work: (server: Server) => Promise<T>): Promise<T> {
  const server = await startAtedb({ ...place, trust })
  return await work(server).finally(() => server.end())
}

async function withNats<T>(place: Place, work: (server: Server) => Promise<T>): Promise<T> {
  const server = await startNats(place)
  return await work(server).finally(() => server.end())
}
