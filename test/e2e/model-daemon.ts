/** Random operations on a mount by the daemon and on a plain directory: SIGKILL after fsync, the index lost, remounts. */
import t from 'tap'
import { runModel } from '../helpers/model/run-model.js'
import { DaemonSystem } from '../helpers/posix/daemon-system.js'

const system = await DaemonSystem.start(t, 'direct', {})
const subject = {
  client: () => system.client,
  begin: () => Promise.resolve(),
  reopen: (how: 'close' | 'crash' | 'rebuild') => system.reopen(how),
}
await runModel(t, { subject, lacks: system.lacks, runs: 5 })
