/** One JetStream file stream of nats-server, spoken to in its own words. Undefined where there is none. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const PORT = 14_222

export interface Nats {
  readonly version: string
  end(): Promise<void>
}

export async function startNats(): Promise<Nats | undefined> {
  const { stdout } = spawnSync('nats-server', ['--version'], { encoding: 'utf8' })
  if (typeof stdout !== 'string') return undefined
  const store = mkdtempSync(join(tmpdir(), 'nats-bench-'))
  const child: ChildProcess = spawn('nats-server', ['-js', '-sd', store, '-a', '127.0.0.1', '-p', String(PORT)], {
    stdio: 'ignore',
  })
  await new Promise((resolve) => setTimeout(resolve, 1000))
  const end = async (): Promise<void> => {
    child.kill('SIGTERM')
    await once(child, 'close')
    rmSync(store, { recursive: true })
  }
  return { version: stdout.trim(), end }
}

/** Messages acknowledged in a second: `count` of `bytes`, `inFlight` at once, with one subscriber. */
export async function natsRate(count: number, bytes: number, inFlight: number): Promise<number> {
  const reader = await session()
  reader.write('SUB load 1\r\n')
  const writer = await session()
  writer.write('SUB inbox 1\r\n')
  const config = JSON.stringify({ name: 'load', subjects: ['load'], storage: 'file', retention: 'limits' })
  writer.write(`PUB $JS.API.STREAM.CREATE.load inbox ${config.length}\r\n${config}\r\n`)
  await once(writer, 'data')
  const message = `PUB load inbox ${bytes}\r\n${'x'.repeat(bytes)}\r\n`
  const startMs = performance.now()
  let [sent, acknowledged] = [0, 0]
  await new Promise<void>((resolve) => {
    const fill = (): void => {
      const room = Math.min(inFlight - (sent - acknowledged), count - sent)
      if (room <= 0) return
      sent += room
      writer.write(message.repeat(room))
    }
    writer.on('data', (data: Buffer) => {
      acknowledged += data.toString('latin1').split('MSG inbox ').length - 1
      if (acknowledged >= count) resolve()
      else fill()
    })
    fill()
  })
  const seconds = (performance.now() - startMs) / 1000
  reader.destroy()
  writer.destroy()
  return count / seconds
}

async function session(): Promise<Socket> {
  const socket = connect(PORT, '127.0.0.1')
  await once(socket, 'data')
  socket.write('CONNECT {"verbose":false}\r\n')
  return socket
}
