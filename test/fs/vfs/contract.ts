/** The file-system contract on the vfs over a chain in memory. */
import t from 'tap'
import { allSubjects } from '../../contract/file-system/all.js'
import { runContract, type Lacks } from '../../contract/file-system/contract.js'
import { MemoryVault } from '../../helpers/posix/memory-vault.js'

const lacks: Lacks = {
  'permission checks': 'are the kernel’s, which is not in front here',
  whiteouts: 'RENAME_WHITEOUT serves overlay file systems only and is refused (EINVAL)',
  kernel: 'FIFOs and sockets are served by the kernel alone',
}
const vault = await MemoryVault.open(t)
await runContract(t, { name: 'vfs in memory', client: vault.client(), lacks }, allSubjects)
