/** The server as a program, and clients that bring batches which were made before: what is measured is the server. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dialWebSocket } from '../../src/adapters/node/web-socket/connect.js'
import { Peer } from '../../src/sync/index.js'
import { connect, parseServerKeyId } from '../../src/wire/index.js'
import { LocalChain, TestChannel, TestClient } from '../../test/helpers/chain-server.js'
import { clientOptions } from '../../test/helpers/wire.js'

export interface Atedb {
  readonly listening: string
  readonly serverKey: string
  readonly pid: number
  end(): Promise<void>
}

/** From `dist/`: built before. */
export async function startAtedb(flags: readonly string[]): Promise<Atedb> {
  const logs = mkdtempSync(join(tmpdir(), 'atedb-bench-'))
  const words = ['bin/atedb.js', '--no-auth', 'solo', logs, '--json', '-l', '127.0.0.1', '-p', '0', ...flags]
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  const started = await new Promise<{ listening: string; serverKey: string; pid: number }>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part
      if (text.trimEnd().endsWith('}'))
        resolve(JSON.parse(text) as { listening: string; serverKey: string; pid: number })
    })
  })
  const end = async (): Promise<void> => {
    child.kill('SIGTERM')
    await once(child, 'close')
    rmSync(logs, { recursive: true })
  }
  return { ...started, end }
}

export async function clientOf(server: Atedb, name: number): Promise<TestClient> {
  const transport = await dialWebSocket(`ws://${server.listening}/db`)
  const trust = { server: server.listening, key: parseServerKeyId(server.serverKey) }
  const connection = await connect(transport, clientOptions({ trust, target: `${server.listening}/db` }))
  return new TestClient(new Peer(connection), new Uint8Array(16).fill(name))
}

export interface Load {
  readonly server: Atedb
  readonly chain: LocalChain
  readonly writer: TestChannel
  readonly term: number
  readonly readers: readonly TestChannel[]
}

/** A chain at the server whose turn the writer has, and what is to be brought: `count` batches of `bytes` of content. */
export async function prepare(server: Atedb, count: number, bytes: number, readers: number): Promise<Load> {
  const chain = await LocalChain.make()
  const writer = await (await clientOf(server, 1)).create('load')
  const others: TestChannel[] = []
  for (let i = 0; i < readers; i++) {
    const reader = await (await clientOf(server, 2)).open('load')
    await reader.follow()
    others.push(reader)
  }
  await writer.follow()
  const { term } = await writer.turn(chain.point)
  await chain.add(...Array.from({ length: count }, () => bytes))
  return { server, chain, writer, term, readers: others }
}

export async function finish({ server, writer, readers }: Load): Promise<void> {
  for (const { client } of [writer, ...readers]) await client.peer.close()
  await server.end()
}
