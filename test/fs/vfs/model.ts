/** Random operations on the vfs over a chain in memory and on a plain directory, side by side. */
import t from 'tap'
import { runModel } from '../../helpers/model/run-model.js'
import { MemoryVault } from '../../helpers/posix/memory-vault.js'
import { VfsClient } from '../../helpers/posix/vfs-client.js'

const vault = await MemoryVault.open((message) => void t.fail(message))
let client = new VfsClient(vault.fileSystem)
const subject = {
  client: () => client,
  reopen: async () => {
    await vault.reopen()
    client = new VfsClient(vault.fileSystem)
  },
}
await runModel(t, { subject, lacks: {}, runs: 80 })
await vault.close()
