/** What `GET /healthz` of a server answers whose disk is full, and when there is room again. Needs root. */
import { spawnSync } from 'node:child_process'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Peer } from '../../src/sync/index.js'
import { dial, startAtedb } from '../helpers/atedb-server.js'
import { TestClient } from '../helpers/chain-server.js'
import { cliWorld } from '../helpers/cli.js'
import { NEEDS_ROOT } from '../helpers/namespace.js'
import { smallDisk } from '../helpers/small-disk.js'
import { isRoot, testingUser } from '../helpers/user.js'
import { failure } from '../helpers/wire.js'

t.test('it is 503 while the disk is full, and 200 when it is not', { skip: isRoot ? false : NEEDS_ROOT }, async (t) => {
  const directory = smallDisk(t, 'tmpfs', 8, testingUser)
  if (directory === undefined) return
  const logs = join(directory, 'logs')
  const server = await startAtedb(t, cliWorld(t), ['-l', '127.0.0.1', '--no-auth'], logs)
  const health = async (): Promise<[number, string]> => {
    const answer = await fetch(`http://${server.started.listening}/healthz`)
    return [answer.status, await answer.text()]
  }
  const client = new TestClient(new Peer(await dial(server)), new Uint8Array(16))
  await client.create('before')
  t.strictSame(await health(), [200, 'ok\n'])
  const filler = join(directory, 'filler')
  spawnSync('dd', ['if=/dev/zero', 'bs=4K', `of=${filler}`])
  t.equal(await failure(client.create('refused')), 'NO_SPACE')
  t.strictSame(await health(), [503, 'The disk of the chains is full.\n'])
  rmSync(filler)
  let last = await health()
  for (let i = 0; last[0] !== 200 && i < 100; i++) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    last = await health()
  }
  t.strictSame(last, [200, 'ok\n'], 'nobody had to try a chain for that')
  t.notOk(readdirSync(join(logs, '~server')).includes('disk-check'))
  await client.create('after')
  await client.peer.close()
  t.equal(await server.end('SIGTERM'), 0)
})
