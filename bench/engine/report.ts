// Medians, ratios and the Markdown of bench/engine.md.
import { median } from '../lib/report.js'
import type { Mode } from './arguments.js'
import type { Contender, Part } from './contender.js'
import { type AppendResult, type LoadResult } from './job.js'
import { type AppendRow, type LoadRow, TARGET_BATCH } from './measure.js'

export interface ModeResult {
  readonly mode: Mode
  readonly appends: readonly AppendRow[]
  readonly loads: readonly LoadRow[]
  readonly opens: readonly LoadRow[]
}

const MIB = 2 ** 20
/** Against hypercore's reads. */
const TARGET_READS = 5

type Results<R> = ReadonlyMap<string, readonly R[]>

function middle<R>(results: Results<R>, name: string, value: (result: R) => number): number {
  const all = results.get(name) ?? []
  return all.length === 0 ? NaN : median(all.map(value))
}

const whole = (value: number): string => (Number.isFinite(value) ? Math.round(value).toLocaleString('en-US') : '-')
const short = (value: number): string =>
  Number.isFinite(value) ? value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0) : '-'

function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const align = head.map((_, i) => (i === 0 ? ':--' : '--:'))
  return [head, align, ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

const objectsPerSecond =
  (ns: (result: AppendResult) => number) =>
  (result: AppendResult): number =>
    (result.objects * 1e9) / ns(result)

function verdict(value: number, target: number): string {
  if (!Number.isFinite(value)) return '-'
  return `${value.toFixed(2)}x ${value >= target ? 'met' : '**behind**'}`
}

const nameOf = (durability: string, batch: number, inFlight: number): string =>
  `${durability}, ${batch}${inFlight === 1 ? '' : `, ${inFlight} callers`}`

function appendTable(rows: readonly AppendRow[], names: readonly string[], ns: (r: AppendResult) => number): string {
  const rate = objectsPerSecond(ns)
  const lines = rows.map(({ durability, batch, inFlight, results }) => {
    const ours = middle(results, 'atefs', rate)
    const against = ours / middle(results, 'hypercore', rate)
    const share = ours / middle(results, 'floor', rate)
    const isTarget = batch === TARGET_BATCH
    return [
      nameOf(durability, batch, inFlight),
      ...names.map((name) => whole(middle(results, name, rate))),
      isTarget ? verdict(against, 1) : short(against),
      isTarget ? verdict(share, 0.5) : short(share),
    ]
  })
  return table(['durability, batch', ...names, 'against hypercore', 'against the floor'], lines)
}

function commitTable(rows: readonly AppendRow[], names: readonly string[]): string {
  const lines = rows.map(({ durability, batch, inFlight, results }) => [
    nameOf(durability, batch, inFlight),
    ...names.map((name) => {
      const commits = middle(results, name, objectsPerSecond(settled)) / batch
      const cpu = middle(results, name, ({ cpuNs, objects }) => cpuNs / 1000 / objects)
      return `${whole(commits)} (${short(cpu)} us)`
    }),
  ])
  return table(['durability, batch', ...names], lines)
}

const settled = (result: AppendResult): number => result.settledNs

function loadTable(rows: readonly LoadRow[], names: readonly string[], loads: number): string {
  const rate = ({ loadsNs }: LoadResult): number => (loads * 1e9) / loadsNs
  const lines = rows.map(({ objects, results }) => [
    whole(objects),
    ...names.map(
      (name) =>
        `${whole(middle(results, name, rate))} (${whole(middle(results, name, (r) => r.rssAnonAfterLoads / MIB))} MiB)`,
    ),
    verdict(middle(results, 'atefs', rate) / middle(results, 'hypercore', rate), TARGET_READS),
  ])
  return table(['objects', ...names, 'against hypercore'], lines)
}

function openTable(rows: readonly LoadRow[], names: readonly string[]): string {
  const lines = rows.map(({ objects, results }) => [
    whole(objects),
    ...names.map((name) => {
      const ms = middle(results, name, ({ openNs }) => openNs / 1e6)
      const rss = middle(results, name, ({ rssAnonAfterOpen }) => rssAnonAfterOpen / MIB)
      return `${short(ms)} ms, ${whole(rss)} MiB`
    }),
  ])
  return table(['objects', ...names], lines)
}

export function modeReport({ appends, loads, opens }: ModeResult, contenders: readonly Contender[], n: number): string {
  const of = (part: Part): string[] => contenders.filter(({ parts }) => parts.includes(part)).map(({ name }) => name)
  const names = of('append')
  const parts: string[] = []
  if (appends.length > 0) {
    parts.push('### Objects a second, until none is put off any more', appendTable(appends, names, settled))
    parts.push(
      'The same until the store is closed:',
      appendTable(appends, names, ({ closedNs }) => closedNs),
    )
    parts.push('Commits a second, and CPU time of all threads for an object until it is closed:')
    parts.push(commitTable(appends, names))
  }
  if (loads.length > 0) {
    parts.push(
      '### Loads a second at random, one after another, everything in the page cache, and RssAnon after them',
      loadTable(loads, of('load'), n),
    )
  }
  if (opens.length > 0)
    parts.push('### Opening, with nothing in the page cache, and RssAnon then', openTable(opens, of('open')))
  return parts.join('\n\n')
}

const TITLES: Readonly<Record<Mode, string>> = {
  pinned: 'Pinned: each process on one core',
  unpinned: 'Unpinned: all cores',
}

const INTRODUCTION = `# The engine as a library

Written by \`npm run bench:engine\`: chains in a directory, objects of 1 KiB (random bytes), against what comes nearest elsewhere.
Ratios are above 1 when atefs is faster. The targets are for pinned runs, in batches of 100: hypercore's rate, half the floor's,
and five times hypercore's reads.`

export function fullReport(
  facts: readonly string[],
  contenders: readonly Contender[],
  rounds: string,
  modes: readonly ModeResult[],
  loads: number,
): string {
  const method = [
    `- Median of ${rounds} of what has a target; batches of other sizes, and contenders that no target names, run in the first round only. In each round every contender runs once, in a process of its own, in rotating order. What is timed follows a warm-up in the same process.`,
    '- All data lies on one fresh journaled ext4 image (loop mount).',
    '- Until none is put off any more: atefs answers a commit of durability `memory` before it is in the log, and is held to a `sync` of the chain at the end (with an fdatasync, which nobody else does there). Until closed: its index has taken everything in, too.',
    ...contenders.map(({ name, does }) => `- ${name}: ${does}.`),
  ]
  const sections = modes.map((mode) => `## ${TITLES[mode.mode]}\n\n${modeReport(mode, contenders, loads)}`)
  return [INTRODUCTION, facts.map((fact) => `- ${fact}`).join('\n'), method.join('\n'), ...sections].join('\n\n') + '\n'
}
