/** The contract on a plain directory: proves that the suite says what Linux does, and nothing of ours. */
import t from 'tap'
import { allSubjects } from '../contract/file-system/all.js'
import { runKernelContract } from '../contract/file-system/kernel.js'
import { runContract } from '../contract/file-system/contract.js'
import { plainDirectory } from '../helpers/posix/plain-directory.js'

const system = await plainDirectory(t)
await runContract(t, system, allSubjects)
await runKernelContract(t, system)
