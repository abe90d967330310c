/** What a server answers to plain HTTP: whether it works, and its numbers. Nothing about chains by name. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Metrics, METRICS_CONTENT_TYPE } from './metrics.js'

export interface Health {
  /** Undefined: it works. */
  problem(): Promise<string | undefined>
}

const TEXT = 'text/plain; charset=utf-8'

export async function answerHttp(
  request: IncomingMessage,
  response: ServerResponse,
  health: Health,
  metrics: Metrics,
): Promise<void> {
  // What is sent along is not read.
  response.setHeader('connection', 'close')
  response.setHeader('x-content-type-options', 'nosniff')
  const { status, text, type = TEXT } = await answerTo(request, health, metrics)
  if (status === 405) response.setHeader('allow', 'GET, HEAD')
  // Node leaves the text out where HEAD was asked.
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) }).end(text)
}

interface Answer {
  status: number
  text: string
  type?: string
}

async function answerTo({ url = '/', method }: IncomingMessage, health: Health, metrics: Metrics): Promise<Answer> {
  const [path] = url.split('?')
  if (path !== '/healthz' && path !== '/metrics')
    return { status: 404, text: 'There is nothing here but /healthz, /metrics and WebSockets.\n' }
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, text: 'Only GET.\n' }
  if (path === '/metrics') return { status: 200, text: metrics.text(), type: METRICS_CONTENT_TYPE }
  const problem = await health.problem()
  return { status: problem === undefined ? 200 : 503, text: `${problem ?? 'ok'}\n` }
}
