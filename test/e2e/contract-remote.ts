/** The contract on mounts of chains that a server keeps, in the modes that take different ways. */
import t from 'tap'
import { allSubjects } from '../contract/file-system/all.js'
import { runContract } from '../contract/file-system/contract.js'
import { runKernelContract } from '../contract/file-system/kernel.js'
import { DaemonSystem } from '../helpers/posix/daemon-system.js'

const isLong = process.env['ATEFS_TEST_LONG'] !== undefined
const WAYS = [['--recovery-mode', 'readonly-async'], ['--recovery-mode', 'sync'], ...(isLong ? [['--temp']] : [])]

for (const flags of WAYS) {
  await t.test(flags.join(' '), async (t) => {
    const system = await DaemonSystem.startServed(t, ...flags)
    await runContract(t, system, allSubjects)
    await runKernelContract(t, system)
  })
}
