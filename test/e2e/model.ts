/** Random operations on a mount through the direct driver and on a plain directory, side by side, with remounts. */
import t from 'tap'
import { runModel } from '../helpers/model/run-model.js'
import { MountedSystem } from '../helpers/posix/mounted-system.js'

const system = await MountedSystem.start(t, 'direct', {})
const subject = { client: () => system.client, begin: () => Promise.resolve(), reopen: () => system.remount() }
await runModel(t, { subject, lacks: system.lacks, runs: 20 })
