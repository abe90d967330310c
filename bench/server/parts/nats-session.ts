/** A connection to nats-server, spoken to in its own words. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export async function natsSession(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'data')
  socket.write('CONNECT {"verbose":false}\r\n')
  return socket
}

/** Asks what is answered with JSON; what it fails with is thrown. */
export async function natsRequest(socket: Socket, subject: string, body: object): Promise<void> {
  const text = JSON.stringify(body)
  socket.write(`SUB answers 9\r\nPUB ${subject} answers ${text.length}\r\n${text}\r\n`)
  let answer = ''
  while (!answer.includes('}\r\n')) answer += ((await once(socket, 'data')) as [Buffer])[0].toString('latin1')
  socket.write('UNSUB 9\r\n')
  if (answer.includes('"error"')) throw new Error(answer)
}

/** Counts messages by their headers, without keeping what is in them. */
export class NatsMessages {
  #rest: Buffer = Buffer.alloc(0)
  /** Bytes of a message that have not come. */
  #skip = 0
  count = 0

  add(data: Buffer): void {
    let bytes: Buffer = this.#rest.length > 0 ? Buffer.concat([this.#rest, data]) : data
    this.#rest = Buffer.alloc(0)
    for (;;) {
      const skipped = Math.min(this.#skip, bytes.length)
      this.#skip -= skipped
      bytes = bytes.subarray(skipped)
      if (bytes.length === 0) return
      const end = bytes.indexOf('\r\n')
      if (end < 0) {
        this.#rest = bytes
        return
      }
      const line = bytes.toString('latin1', 0, end)
      bytes = bytes.subarray(end + 2)
      if (!line.startsWith('MSG ')) continue
      this.count++
      this.#skip = Number(line.slice(line.lastIndexOf(' ') + 1)) + 2
    }
  }
}
