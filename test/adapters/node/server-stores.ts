/** A chain of a server lies in the directory of its name: one below it takes the place of none of its files. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { ServerStores } from '../../../src/adapters/node/server-stores.js'
import { SERVED_FILES } from '../../../src/server/file-names.js'
import { START } from '../../../src/sync/index.js'
import { LocalChain, serverOn, TestClient } from '../../helpers/chain-server.js'
import { keys } from '../../helpers/log-workbench.js'
import { failure } from '../../helpers/wire.js'

t.test('no part of a name is that of a file which a server keeps of a chain', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'atefs-stores-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  const stores = new ServerStores(directory)
  const server = serverOn(stores)
  const owner = await (await TestClient.to(server)).create('notes', keys.chainId, new Uint8Array(100))
  const { term } = await owner.turn(START)
  await owner.upload(term, await (await LocalChain.make(100)).batches())
  await owner.until(() => owner.accepted.at(-1) === 1)
  await owner.client.peer.request(owner.opened.channel, 'drop', { term, numbers: [], upTo: 1 })
  await server.close()
  const files = readdirSync(join(directory, 'db/notes'))
  for (const name of ['manifest', 'anchor', 'keyring', 'turn', 'writer', 'dropped']) t.ok(files.includes(name), name)
  for (const name of [...files, ...SERVED_FILES]) {
    for (const chain of [`db/notes/${name}`, `db/${name}/notes`])
      t.equal(await failure(stores.create(chain)), 'BAD_ARGUMENT', chain)
  }
})
