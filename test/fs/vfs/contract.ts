/** The file-system contract on the vfs over a chain in memory. */
import t from 'tap'
import { allSubjects } from '../../contract/file-system/all.js'
import { runContract, type Lacks } from '../../contract/file-system/contract.js'
import { VfsClient } from '../../helpers/posix/vfs-client.js'
import { MemoryVault } from '../../helpers/posix/memory-vault.js'

const lacks: Lacks = {
  'permission checks': 'are the kernel’s, which is not in front here',
  kernel: 'FIFOs and sockets are served by the kernel alone',
}
const vault = await MemoryVault.open({ onWarning: (message) => void t.fail(message) })
await runContract(t, { name: 'vfs in memory', client: new VfsClient(vault.fileSystem), lacks }, allSubjects)
await vault.close()
