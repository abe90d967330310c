/**
 * For the examples in two processes: starts a server on this machine, and the same example once more. Elsewhere the server is
 * `atedb --no-auth solo`, and every program is started by whoever uses it.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AteConfig } from 'atefs'

export interface Place {
  /** Of the server. */
  readonly url: string
  /** With the passphrase of its chains. A copy of each is in memory, so that a commit is at the server when it resolves. */
  readonly config: AteConfig
}

export type First = (place: Place & { readonly startOther: () => Promise<void> }) => Promise<void>

/** Runs `first` here, and `second` in another process when `startOther` is called, which resolves when that has ended. */
export async function inTwoProcesses(first: First, second: (place: Place) => Promise<void>): Promise<void> {
  const [program = '', script = '', name = '', givenUrl, givenKey = ''] = process.argv
  if (givenUrl !== undefined) {
    await second(placeOf(givenUrl, givenKey))
    return
  }
  const server = await startServer(program)
  const startOther = async (): Promise<void> => {
    await once(spawn(program, [script, name, server.url, server.key], { stdio: 'inherit' }), 'close')
  }
  try {
    await first({ ...placeOf(server.url, server.key), startOther })
  } finally {
    await server.stop()
  }
}

function placeOf(url: string, serverKey: string): Place {
  return { url, config: AteConfig.default().with({ passphrase: 'of the example', serverKey }) }
}

async function startServer(program: string): Promise<{ url: string; key: string; stop: () => Promise<void> }> {
  const logs = mkdtempSync(join(tmpdir(), 'atefs-example-'))
  const atedb = fileURLToPath(new URL('../../bin/atedb.js', import.meta.url))
  const words = [atedb, '--no-auth', 'solo', logs, '-l', '127.0.0.1', '-p', '0']
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'close')
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    await ended
    rmSync(logs, { recursive: true })
  }
  let said = ''
  for await (const text of child.stdout.setEncoding('utf8')) {
    said += String(text)
    const [, address, key] = /^Serving .* on ([^,]+),[^]*^Server key: (\S+)$/m.exec(said) ?? []
    if (address !== undefined && key !== undefined) {
      child.stdout.resume()
      return { url: `ws://${address}/db`, key, stop }
    }
  }
  throw new Error('The server did not start.')
}
