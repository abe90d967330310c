import t from 'tap'
import { Log, type LogLevel } from '../../src/atedb/log.js'
import { Metrics } from '../../src/atedb/metrics.js'

function logging(level: LogLevel, format: 'text' | 'json'): { log: Log; lines: string[] } {
  const lines: string[] = []
  return { lines, log: new Log({ level, format, write: (line) => lines.push(line), now: () => new Date(0) }) }
}

t.test('less than asked for is not told', (t) => {
  const levels: [LogLevel, number][] = [
    ['off', 0],
    ['error', 1],
    ['warn', 2],
    ['info', 3],
    ['debug', 4],
    ['trace', 4],
  ]
  for (const [level, count] of levels) {
    const { log, lines } = logging(level, 'json')
    log.error('a')
    log.warn('b')
    log.info('c')
    log.debug('d')
    t.equal(lines.length, count, level)
  }
  t.end()
})

t.test('a line is JSON, or words whose values cannot look like more', (t) => {
  const fields = { address: '::1', bits: 128, reason: 'no\nerror forged', nothing: undefined }
  const json = logging('info', 'json')
  json.log.info('hello', fields)
  t.same(JSON.parse(json.lines[0] ?? ''), {
    time: '1970-01-01T00:00:00.000Z',
    level: 'info',
    message: 'hello',
    address: '::1',
    bits: 128,
    reason: 'no\nerror forged',
  })
  const text = logging('info', 'text')
  text.log.info('hel\u001blo', { ...fields, escape: '\u001b[31m\u009b' })
  t.equal(
    text.lines.join(''),
    '1970-01-01T00:00:00.000Z info  hel lo address=::1 bits=128 reason="no\\nerror forged" escape="\\u001b[31m "\n',
  )
  t.end()
})

t.test('metrics are the text that Prometheus reads', (t) => {
  const metrics = new Metrics()
  const counter = metrics.counter('a_total', 'Counts a.')
  metrics.gauge('b', 'Measures b.', () => 1.5)
  counter.add()
  counter.add(2)
  t.equal(
    metrics.text(),
    '# HELP a_total Counts a.\n# TYPE a_total counter\na_total 3\n# HELP b Measures b.\n# TYPE b gauge\nb 1.5\n',
  )
  t.end()
})
