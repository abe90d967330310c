/** Numbers for Prometheus, in its text format 0.0.4: counters and gauges without labels need no library. */

interface Metric {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge'
  readonly read: () => number
}

export interface Counter {
  add(amount?: number): void
}

export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export class Metrics {
  readonly #metrics: Metric[] = []

  /** Its name ends in _total. */
  counter(name: string, help: string): Counter {
    let value = 0
    this.#metrics.push({ name, help, type: 'counter', read: () => value })
    return { add: (amount = 1) => void (value += amount) }
  }

  /** Asked whenever somebody looks. */
  gauge(name: string, help: string, read: () => number): void {
    this.#metrics.push({ name, help, type: 'gauge', read })
  }

  /** A counter that somebody else counts. */
  counted(name: string, help: string, read: () => number): void {
    this.#metrics.push({ name, help, type: 'counter', read })
  }

  text(): string {
    return this.#metrics
      .map(({ name, help, type, read }) => `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name} ${read()}\n`)
      .join('')
  }
}
