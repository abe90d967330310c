/** The contract on a mount by the daemon through the direct driver. */
import t from 'tap'
import { allSubjects } from '../contract/file-system/all.js'
import { runContract } from '../contract/file-system/contract.js'
import { runKernelContract } from '../contract/file-system/kernel.js'
import { DaemonSystem } from '../helpers/posix/daemon-system.js'

const system = await DaemonSystem.start(t, 'direct', {})
await runContract(t, system, allSubjects)
await runKernelContract(t, system)
