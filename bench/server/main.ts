// npm run bench:server: a server of chains under load, beside a JetStream file stream of nats-server. Options: --help.
import { mkdir, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { isInstalled, run } from '../lib/command.js'
import { createImage } from '../lib/image.js'
import { machineFacts } from '../lib/machine.js'
import { fullReport, type Line, tableOf } from './report.js'
import * as rows from './rows.js'

const USAGE = `npm run bench:server -- [options]        (root, Linux; nats-server from Debian)

  --only a,b        only these rows: commits,deliveries,signed,delay,idle
  --rounds N        rounds (5)
  --commits N       commits of a run (40000), after as many that are not timed
  --core N          all programs on this core
  --dir DIR         where the image is made (the temporary directory)
  --profile DIR     write CPU profiles of atedb, its writer and its reader to DIR
  --out FILE        write the report there (a full run: bench/server.md; else only the terminal)
`

const { values } = parseArgs({
  options: {
    help: { type: 'boolean' },
    only: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    commits: { type: 'string', default: '40000' },
    core: { type: 'string' },
    dir: { type: 'string' },
    profile: { type: 'string' },
    out: { type: 'string' },
  },
})

const SIZES: rows.Sizes = {
  count: Number(values.commits),
  warmUp: Number(values.commits),
  bytes: 1024,
  inFlight: 64,
  subscribers: 200,
  delivered: 4000,
  delays: 1000,
  idle: 200,
}
const SIGNED = { count: 2000, warmUp: 500 }

const METHOD = [
  'The server, the writer and the subscribers are programs of their own on both sides, and keep their files on one fresh journaled ext4 image (loop mount).',
  `Commits: ${SIZES.bytes} bytes of content in a transaction each, ${SIZES.inFlight} in flight, acknowledged when the server has synced them; AES-128 on the wire, AES-256 in the chain. The writer is a program with the library and a copy of the chain on the disk, and so is the subscriber, with one in memory, whose program is told of each message. JetStream: published with acknowledgement, ${SIZES.inFlight} in flight, by a client that does nothing else, in clear; it does not sync each message; the subscriber counts them. Both sides have done as many before that are not timed.`,
  `Floor: three programs in Node that do what cannot be left out of the commits: the writer seals and hashes each message (AES-256-GCM, SHA-256), ${SIZES.inFlight} go in one WebSocket frame sealed with AES-128-GCM, the server checks the digests, writes and syncs them together and passes them on, the reader verifies and opens them. No chain, no index, no objects, nothing that is kept by the clients.`,
  `Deliveries: ${SIZES.subscribers} connections of one program that follow the chain and take its batches, without its keys; ${SIZES.subscribers} consumers of the stream that count messages.`,
  'Memory: resident, of the server, for a connection that follows a chain or a consumer, to which nothing happens.',
]

async function measure(place: rows.Place, hasNats: boolean, rounds: number): Promise<Line[]> {
  const only = values.only?.split(',')
  const lines: Line[] = []
  const line = async (
    row: string,
    text: Pick<Line, 'what' | 'unit' | 'target'>,
    ours: () => Promise<number>,
    theirs?: () => Promise<number>,
    least?: () => Promise<number>,
  ): Promise<void> => {
    if (only !== undefined && !only.includes(row)) return
    const results: { atefs: number[]; floor: number[]; nats: number[] } = { atefs: [], floor: [], nats: [] }
    for (let round = 0; round < rounds; round++) {
      results.atefs.push(await ours())
      if (least !== undefined) results.floor.push(await least())
      if (theirs !== undefined && hasNats) results.nats.push(await theirs())
    }
    lines.push({ ...text, ...results })
    process.stdout.write(
      `${
        tableOf([{ ...text, ...results }])
          .split('\n')
          .at(-1) ?? ''
      }\n`,
    )
  }
  const { subscribers } = place.sizes
  await line(
    'commits',
    { what: 'commits acknowledged', unit: '/s', target: 1 },
    () => rows.atefsRate(place, 'centralized'),
    () => rows.natsRate(place),
    () => rows.floorRate(place),
  )
  await line(
    'deliveries',
    { what: `messages delivered to ${subscribers} subscribers`, unit: '/s', target: 1 },
    () => rows.atefsDeliveries(place),
    () => rows.natsDeliveries(place),
  )
  await line('signed', { what: 'distributed trust: commits acknowledged', unit: '/s' }, () =>
    rows.atefsRate(place, 'distributed', { ...place.sizes, ...SIGNED }),
  )
  const delays: { p50: number; p99: number }[] = []
  const only99 = only === undefined || only.includes('delay')
  for (let round = 0; only99 && round < rounds; round++) delays.push(await rows.atefsDelay(place))
  if (only99)
    for (const part of ['p50', 'p99'] as const)
      lines.push({
        what: `from a commit until another client sees it, ${part}`,
        unit: 'ms',
        atefs: delays.map((d) => d[part]),
      })
  await line(
    'idle',
    { what: 'memory of an idle connection', unit: 'KiB' },
    () => rows.atefsIdle(place),
    () => rows.natsIdle(place),
  )
  return lines
}

async function main(): Promise<void> {
  if (values.help === true) return void process.stdout.write(USAGE)
  if (process.getuid?.() !== 0) throw new Error('the benchmark needs root (loop mounts)')
  if (values.core !== undefined) await run('taskset', ['-a', '-p', '-c', values.core, String(process.pid)])
  if (values.profile !== undefined) await mkdir(values.profile, { recursive: true })
  const hasNats = await isInstalled('nats-server')
  const rounds = Number(values.rounds)
  const version = async (): Promise<string> => `atefs ${(await run('git', ['rev-parse', '--short', 'HEAD'])).trim()}`
  const nats = async (): Promise<string> =>
    hasNats ? (await run('nats-server', ['--version'])).trim() : 'no nats-server'
  const facts = await machineFacts([{ version }, { version: nats }])
  const image = await createImage(4, values.dir)
  try {
    const lines = await measure({ directory: image.root, profileDir: values.profile, sizes: SIZES }, hasNats, rounds)
    process.stdout.write(`\n${tableOf(lines)}\n`)
    const cores = values.core === undefined ? 'all cores' : 'all programs on one core'
    const method = [`Median of ${rounds} rounds; ${cores}.`, ...METHOD]
    const out = values.out ?? (values.only === undefined ? 'bench/server.md' : undefined)
    if (out !== undefined) await writeFile(out, fullReport(facts, method, lines))
  } finally {
    await image.destroy()
  }
}

await main()
