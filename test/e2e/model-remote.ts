/** Random operations on a mount of a served chain and on a plain directory: SIGKILL after fsync, the index lost, remounts. */
import t from 'tap'
import { runModel } from '../helpers/model/run-model.js'
import { DaemonSystem } from '../helpers/posix/daemon-system.js'

await t.test('with the recovery mode sync', async (t) => {
  const system = await DaemonSystem.startServed(t, '--recovery-mode', 'sync')
  const subject = {
    client: () => system.client,
    begin: () => Promise.resolve(),
    reopen: (how: 'close' | 'crash' | 'rebuild') => system.reopen(how),
  }
  await runModel(t, { subject, lacks: system.lacks, runs: 3 })
})
