/** The contract on a mount through the direct driver. */
import t from 'tap'
import { allSubjects } from '../contract/file-system/all.js'
import { runContract } from '../contract/file-system/contract.js'
import { runKernelContract } from '../contract/file-system/kernel.js'
import { MountedSystem } from '../helpers/posix/mounted-system.js'

const system = await MountedSystem.start(t, 'direct', {})
await runContract(t, system, allSubjects)
await runKernelContract(t, system)
