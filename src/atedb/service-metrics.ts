/** How much a server of chains has done. */
import type { ServerCounts } from '../server/index.js'
import type { Metrics } from './metrics.js'

type Name = keyof ServerCounts

const NOW: readonly (readonly [name: string, help: string, count: Name])[] = [
  ['atefs_chains_open', 'Chains that are open.', 'openChains'],
  ['atefs_channels', 'Chains that connections have open, counted for each.', 'channels'],
]
const SINCE_START: readonly (readonly [name: string, help: string, count: Name])[] = [
  ['atefs_batches_taken_total', 'Batches that clients have brought and that are durable.', 'batchesTaken'],
  ['atefs_batches_taken_bytes_total', 'Bytes of them.', 'bytesTaken'],
  ['atefs_batches_sent_total', 'Batches that were sent to clients.', 'batchesSent'],
  ['atefs_batches_sent_bytes_total', 'Bytes of them.', 'bytesSent'],
  ['atefs_batches_refused_total', 'Batches that clients have brought and that were not taken.', 'batchesRefused'],
]

export function serviceMetrics(metrics: Metrics, counts: () => ServerCounts): void {
  for (const [name, help, count] of NOW) metrics.gauge(name, help, () => counts()[count])
  for (const [name, help, count] of SINCE_START) metrics.counted(name, help, () => counts()[count])
}
