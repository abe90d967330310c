/** How the process does, by the names that Prometheus' own clients use. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Metrics } from './metrics.js'

const NS_PER_S = 1e9

export function processMetrics(metrics: Metrics): void {
  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()
  const startedAt = Date.now() / 1000 - process.uptime()
  metrics.gauge('process_start_time_seconds', 'When the server was started.', () => startedAt)
  metrics.gauge('process_resident_memory_bytes', 'Memory.', () => process.memoryUsage.rss())
  metrics.counted('process_cpu_seconds_total', 'Time of the processor.', () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  })
  metrics.gauge('nodejs_eventloop_lag_p99_seconds', 'How long things wait for others, since it was last asked.', () => {
    const value = delay.percentile(99) / NS_PER_S
    delay.reset()
    return value
  })
}
