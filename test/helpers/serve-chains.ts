/** A real server of its own, for a test that mounts chains of it. */
import type { Test } from 'tap'
import { startAtedb } from './atedb-server.js'
import { cliWorld } from './cli.js'

/** Its URL. It is ended with the test. */
export async function serveChains(t: Test): Promise<string> {
  const { port } = await startAtedb(t, cliWorld(t), ['-l', '127.0.0.1', '--no-auth'])
  return `ws://127.0.0.1:${port}/db`
}
