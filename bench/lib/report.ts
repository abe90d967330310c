// Medians, ratios and the Markdown of bench/results.md.
import { MAX_UNPINNED_ROUNDS, type Mode } from './arguments.js'
import type { Measurement, RowResult } from './measure.js'
import type { Row } from './rows.js'
import type { System } from './systems.js'

export interface ModeResult {
  readonly mode: Mode
  readonly rows: readonly { readonly row: Row; readonly result: RowResult }[]
}

type Value = (measurement: Measurement) => number

/** The middle one, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2
}

/** Nanoseconds per operation (or per byte, for streams): smaller is better in every row. */
export const cost =
  (row: Row, ns: Value): Value =>
  (m) =>
    ns(m) / (row.unit === 'MB/s' ? m.bytes : m.operations)

export function format(row: Row, value: number): string {
  if (Number.isNaN(value)) return '-'
  if (row.unit === 'MB/s') return digits(1000 / value)
  return digits(value / (row.unit === 'ms' ? 1e6 : 1e3))
}

function digits(value: number): string {
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)
}

export function medianOf(result: RowResult, system: string, value: Value): number {
  const samples = result.get(system)
  return typeof samples === 'object' && samples.length > 0 ? median(samples.map(value)) : NaN
}

/** How many times faster than the fastest peer; NaN when one of the two is missing. */
function ratio(result: RowResult, systems: readonly System[], value: Value): number {
  const peers = systems.filter((s) => s.isPeer).map((s) => medianOf(result, s.name, value))
  return Math.min(...peers.filter((p) => !Number.isNaN(p))) / medianOf(result, 'atefs', value)
}

function table(
  mode: ModeResult,
  systems: readonly System[],
  ns: Value,
  rows: ModeResult['rows'],
  targets: boolean,
): string {
  const head = ['row', '', ...systems.map((s) => s.name), 'atefs vs fastest peer', ...(targets ? ['target', ''] : [])]
  const lines = rows.map(({ row, result }) => {
    const value = cost(row, ns)
    const against = ratio(result, systems, value)
    const met = Number.isFinite(against) ? (against >= row.target ? 'met' : '**behind**') : '-'
    return [
      row.title,
      row.unit,
      ...systems.map((s) => format(row, medianOf(result, s.name, value))),
      Number.isFinite(against) ? `${against.toFixed(2)}x` : '-',
      ...(targets ? [mode.mode === 'pinned' ? `${row.target}x` : '', mode.mode === 'pinned' ? met : ''] : []),
    ]
  })
  const align = head.map((_, i) => (i < 2 ? ':--' : '--:'))
  return [head, align, ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

export function modeReport(mode: ModeResult, systems: readonly System[]): string {
  const writes = mode.rows.filter(({ row }) => row.isWrite === true)
  const parts = [table(mode, systems, (m) => m.ns, mode.rows, mode.mode === 'pinned')]
  if (writes.length > 0) {
    parts.push(
      'The same until everything is on the disk (an fsync in the mount, then syncfs of the disk, added to the time):',
      table(mode, systems, (m) => m.durableNs, writes, false),
    )
  }
  return parts.join('\n\n')
}

/** One line per system for the terminal: median, smallest, and the CPU time per operation (of load and daemon, and after it). */
export function rowSummary(row: Row, result: RowResult): string {
  const parts = [...result].map(([name, samples]) => {
    if (typeof samples === 'string') return `  ${name} (${samples})`
    const middle = (ns: Value): string => format(row, median(samples.map(cost(row, ns)))).padStart(8)
    const best = format(row, Math.min(...samples.map(cost(row, (m) => m.ns)))).padStart(8)
    const durable = row.isWrite === true ? `  durable ${middle((m) => m.durableNs)}` : ''
    const after = row.unit === 'MB/s' ? '' : `  cpu after ${middle((m) => m.settleNs)}`
    return `  ${name.padEnd(10)}${middle((m) => m.ns)}  best ${best}  cpu ${middle((m) => m.busyNs)}${after}${durable}`
  })
  return `${row.title} [${row.unit}]\n${parts.join('\n')}`
}

export function fullReport(
  facts: readonly string[],
  rounds: number,
  modes: readonly ModeResult[],
  systems: readonly System[],
): string {
  const sections = modes.map((mode) => `## ${TITLES[mode.mode]}\n\n${modeReport(mode, systems)}`)
  const excluded = new Map<string, string>()
  for (const { row } of modes[0]?.rows ?? []) {
    for (const [name, reason] of Object.entries(row.excluded ?? {})) {
      excluded.set(`${name}: ${reason}`, [excluded.get(`${name}: ${reason}`), row.title].filter(Boolean).join('; '))
    }
  }
  const notes = [...excluded].map(([reason, titles]) => `- Left out: ${reason} (${titles}).`)
  return (
    [INTRODUCTION, facts.map((fact) => `- ${fact}`).join('\n'), METHOD(rounds, notes), ...sections].join('\n\n') + '\n'
  )
}

const TITLES: Readonly<Record<Mode, string>> = {
  pinned: 'Pinned: daemon and load on one core',
  unpinned: 'Unpinned: all cores',
}

const INTRODUCTION = `# Benchmark results

Written by \`npm run bench\`. us/op and ms: smaller is better; MB/s: larger is better. The ratio is above 1 when atefs is faster
than the fastest of gocryptfs, securefs and CryFS in that row.`

const METHOD = (rounds: number, notes: readonly string[]): string =>
  [
    `- Median of ${rounds} rounds (unpinned: at most ${MAX_UNPINNED_ROUNDS}); in each round every system runs the row once, in rotating order (CryFS in every second round). One round before them is not counted: daemons and caches are warm.`,
    '- All systems store their data on one fresh journaled ext4 image (loop mount); each runs with its default settings.',
    '- The load is a C program making raw system calls; tar, ls, rm and git are the usual programs.',
    "- Cold: after dropping the kernel's page, dentry and inode caches; the daemons keep running, with their own memory.",
    '- stat, rename, unlink and reads work on files of 4 KiB in directories of 100.',
    ...notes,
  ].join('\n')
