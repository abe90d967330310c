/** The contract on a mount through the driver fuse-native. */
import t from 'tap'
import { allSubjects } from '../contract/file-system/all.js'
import { runContract } from '../contract/file-system/contract.js'
import { runKernelContract } from '../contract/file-system/kernel.js'
import { fuseNativeReasons } from '../contract/file-system/fuse-native-reasons.js'
import { MountedSystem } from '../helpers/posix/mounted-system.js'

const system = await MountedSystem.start(t, 'fuse-native', fuseNativeReasons)
await runContract(t, system, allSubjects)
await runKernelContract(t, system)
