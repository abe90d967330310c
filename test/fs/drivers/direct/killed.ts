/** A process that is killed while its mount is used: whoever waits for it is told, whatever it was in the middle of. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { DirectMountProcess } from '../../../helpers/direct-mount.js'
import { usersToTest } from '../../../helpers/user.js'

const FSYNCDIR = 30

for (const user of usersToTest())
  t.test(
    `who uses the mount of ${user.title} that is killed while it tells the kernel of a change is let go`,
    async (t) => {
      const mount = DirectMountProcess.start(t, user)
      await mount.mount(t)
      // So that the thread is there.
      await mount.ask({ call: 'addElsewhere', name: 'first' })
      await mount.ask({ call: 'closeGate' })
      await mount.counts()
      // The kernel keeps the directory locked until this is answered.
      const syncer = spawn('sync', [mount.mountpoint], {
        stdio: ['ignore', 'ignore', 'pipe'],
        uid: user.uid,
        gid: user.gid,
      })
      const ended = once(syncer, 'exit')
      while ((await mount.counts())[FSYNCDIR] === undefined);
      // It waits for that lock, for ever.
      void mount.ask({ call: 'addElsewhere', name: 'other' })
      await sleep(300)
      mount.kill(t)
      const outcome = await Promise.race([ended, sleep(5000, ['it waits'], { ref: false })])
      t.same(outcome, [1, null])
    },
  )
