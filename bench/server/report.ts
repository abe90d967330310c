/** Medians, ratios and the Markdown of bench/server.md. */
import { median } from '../lib/report.js'

export interface Line {
  readonly what: string
  readonly unit: string
  readonly atefs: readonly number[]
  /** Of the least that such a system does, where that was measured. */
  readonly floor?: readonly number[]
  /** Of the same, if it has it. */
  readonly nats?: readonly number[]
  /** Ours to theirs, at least. */
  readonly target?: number
}

function show(values: readonly number[] | undefined): string {
  if (values === undefined || values.length === 0) return '-'
  const value = median(values)
  return value.toLocaleString('en-US', { maximumFractionDigits: value < 100 ? 1 : 0 })
}

function ratio({ atefs, nats, target }: Line): string {
  if (nats === undefined || nats.length === 0) return ''
  const value = median(atefs) / median(nats)
  const met = value >= (target ?? 0) ? ', met' : ', **behind**'
  return `${value.toFixed(2)}x${target === undefined ? '' : met}`
}

export function tableOf(lines: readonly Line[]): string {
  const cells = lines.map((line) => [
    line.what,
    line.unit,
    show(line.atefs),
    show(line.floor),
    show(line.nats),
    ratio(line),
  ])
  const align = [':--', ':--', '--:', '--:', '--:', '--:']
  return [['', '', 'atedb', 'floor', 'JetStream', 'ratio'], align, ...cells]
    .map((row) => `| ${row.join(' | ')} |`)
    .join('\n')
}

export function fullReport(facts: readonly string[], method: readonly string[], lines: readonly Line[]): string {
  const list = (items: readonly string[]): string => items.map((item) => `- ${item}`).join('\n')
  return `# A server of chains under load

Written by \`npm run bench:server\`: \`atedb\` beside one JetStream file stream of nats-server, in one run. Ratios are atedb's rate to
JetStream's.

${list(facts)}

${list(method)}

${tableOf(lines)}
`
}
