/** Random operations on a mount through the driver fuse-native and on a plain directory, side by side, with remounts. */
import t from 'tap'
import { fuseNativeReasons } from '../contract/file-system/fuse-native-reasons.js'
import { runModel } from '../helpers/model/run-model.js'
import { MountedSystem } from '../helpers/posix/mounted-system.js'

const system = await MountedSystem.start(t, 'fuse-native', fuseNativeReasons)
const subject = { client: () => system.client, begin: () => Promise.resolve(), reopen: () => system.remount() }
await runModel(t, { subject, lacks: system.lacks, runs: 15 })
