/** Programs on mounts that wait for others or for their server: who is killed does not go on waiting, and fsync tells within bounds. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { RecoveryMode } from '../../src/client/index.js'
import { Locker, servedMounts, tool } from '../helpers/served-mounts.js'

const FSYNC = { 'readonly-async': 'ok', async: 'ok', 'readonly-sync': 'EIO', sync: 'EIO' } as const
const MODES = Object.keys(FSYNC) as RecoveryMode[]
/** The server is waited for 5 seconds. */
const LIMIT_MS = 15_000

await t.test(
  'who is killed while another machine has the turn and does not answer ends at once, and has done nothing',
  async (t) => {
    const machines = await servedMounts(t, ['a', 'b'])
    const a = await machines.mount('a', '--recovery-mode', 'sync')
    const b = await machines.mount('b', '--recovery-mode', 'readonly-async')
    // The kernel lets one program at a time change a directory: each has its own.
    const [making, moving, removing] = [`${b}/making`, `${b}/moving`, `${b}/removing`]
    t.equal(await tool('mkdir', making, moving, removing), 'ok')
    t.equal(await tool('touch', `${moving}/there`, `${removing}/there`), 'ok')
    t.equal(await tool('touch', `${a}/file`), 'ok', 'the turn is here')
    machines.way('a').stall()
    const waiting = [
      { signal: 'SIGKILL', child: spawn('touch', [`${making}/new`]) },
      { signal: 'SIGINT', child: spawn('mv', [`${moving}/there`, `${moving}/moved`]) },
      { signal: 'SIGTERM', child: spawn('rm', [`${removing}/there`]) },
    ] as const
    await sleep(1000)
    for (const { signal, child } of waiting) {
      t.equal(child.exitCode, null, 'it waits')
      const ended = once(child, 'exit')
      const began = performance.now()
      child.kill(signal)
      t.strictSame(await ended, [null, signal])
      t.ok(performance.now() - began < 3000, `in ${Math.round(performance.now() - began)} ms`)
    }
    machines.way('a').heal()
    for (const folder of [moving, removing]) t.equal(await tool('test', '-e', `${folder}/there`), 'ok')
    for (const path of [`${making}/new`, `${moving}/moved`]) t.not(await tool('test', '-e', path), 'ok', path)
    t.equal(await tool('touch', `${b}/next`), 'ok', 'others go on')
  },
)

await t.test('fsync of what the server has not, when that has gone away', async (t) => {
  const machines = await servedMounts(t, MODES)
  await Promise.all(
    MODES.map(async (mode) => {
      const mountpoint = await machines.mount(mode, '--recovery-mode', mode)
      const locker = await Locker.open(t, `${mountpoint}/of-${mode}`)
      t.equal(await locker.ask('append first'), 'ok', mode)
      t.equal(await locker.ask('sync'), 'ok', mode)
      t.equal(await locker.ask('append second'), 'ok', mode)
      machines.way(mode).part()
      const began = performance.now()
      t.equal(await locker.ask('sync'), FSYNC[mode], mode)
      t.ok(performance.now() - began < LIMIT_MS, `${mode}: in ${Math.round(performance.now() - began)} ms`)
      machines.way(mode).heal()
      await locker.end()
    }),
  )
})
