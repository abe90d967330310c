/** Random operations on the vfs over a chain in memory and on a plain directory, side by side. */
import t, { type Test } from 'tap'
import type { ModelSubject } from '../../helpers/model/compare.js'
import { runModel } from '../../helpers/model/run-model.js'
import { MemoryVault } from '../../helpers/posix/memory-vault.js'
import { VfsClient } from '../../helpers/posix/vfs-client.js'

async function runOnVault(t: Test, few: { cachedInodes?: number }): Promise<void> {
  const options = { ...few, onWarning: (message: string) => void t.fail(message) }
  let vault = await MemoryVault.open(options)
  let client = new VfsClient(vault.fileSystem)
  const subject: ModelSubject = {
    client: () => client,
    // Each sequence has a chain of its own: what is rebuilt from its log is short.
    begin: async () => {
      await vault.close()
      vault = await MemoryVault.open(options)
      client = new VfsClient(vault.fileSystem)
    },
    reopen: async (how) => {
      await vault.reopen(how)
      client = new VfsClient(vault.fileSystem)
    },
  }
  await runModel(t, { subject, lacks: {}, runs: 25 })
  await vault.close()
}

await t.test('with all inodes in memory', (t) => runOnVault(t, {}))
await t.test('with room for few inodes in memory', (t) => runOnVault(t, { cachedInodes: 4 }))
