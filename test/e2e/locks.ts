/** Locks between processes. What matters most is that they go away: with close, with the process, with kill -9. */
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { compiledProgram } from '../helpers/compiled.js'
import { killGroup } from '../helpers/program.js'
import { onOneMount, type Vault } from '../helpers/vault.js'
import type { ChildProcess } from 'node:child_process'

const posix = compiledProgram('posix')

/** A process that holds a lock, and whether it got it. */
async function hold(t: Test, vault: Vault, ...words: string[]): Promise<{ holder: ChildProcess; answer: string }> {
  const holder = vault.start(posix, ['hold', ...words])
  t.teardown(() => killGroup(holder))
  if (holder.stdout === null) throw new Error('no output')
  const [answer] = (await once(createInterface({ input: holder.stdout }), 'line')) as [string]
  return { holder, answer }
}

async function end(holder: ChildProcess, how: 'kill' | 'exit'): Promise<void> {
  const ended = once(holder, 'exit')
  if (how === 'kill') holder.kill('SIGKILL')
  else holder.stdin?.end()
  await ended
}

const tryLock = async (vault: Vault, ...words: string[]): Promise<string> =>
  (await vault.run(posix, ['try', ...words])).trim()

const oneHolder =
  (kind: 'flock' | 'fcntl' | 'ofd') =>
  async (t: Test, vault: Vault): Promise<void> => {
    const whole = [kind, 'file', '0', '0']
    for (const how of ['exit', 'kill', 'kill'] as const) {
      const { holder, answer } = await hold(t, vault, ...whole)
      t.equal(answer, 'held')
      t.equal(await tryLock(vault, ...whole), 'taken')
      t.equal((await hold(t, vault, ...whole)).answer, 'refused')
      await end(holder, how)
      t.equal(await tryLock(vault, ...whole), 'free', `after ${how}`)
    }
  }

onOneMount(t, {
  'flock: one holder at a time, free after exit and after kill -9': oneHolder('flock'),
  'fcntl: one holder at a time, free after exit and after kill -9': oneHolder('fcntl'),
  'open file description locks: one holder at a time, free after exit and after kill -9': oneHolder('ofd'),

  'fcntl: ranges are independent, and a close drops all of a process': async (t, vault) => {
    const first = await hold(t, vault, 'fcntl', 'file', '0', '100')
    const second = await hold(t, vault, 'fcntl', 'file', '100', '100')
    t.strictSame([first.answer, second.answer], ['held', 'held'])
    t.equal(await tryLock(vault, 'fcntl', 'file', '99', '1'), 'taken')
    t.equal(await tryLock(vault, 'fcntl', 'file', '200', '1'), 'free')
    await end(first.holder, 'kill')
    t.equal(await tryLock(vault, 'fcntl', 'file', '0', '100'), 'free')
    t.equal(await tryLock(vault, 'fcntl', 'file', '0', '101'), 'taken')
    await end(second.holder, 'exit')
    t.equal(await vault.run(posix, ['close-releases', 'file']), 'free\n')
  },

  'flock(1): four processes take turns, none is lost': async (t, vault) => {
    const turns = 'for i in $(seq 1 25); do flock lock sh -c "n=\\$(cat count); echo \\$((n + 1)) > count"; done'
    await vault.shell('echo 0 > count')
    await Promise.all([1, 2, 3, 4].map(() => vault.shell(turns)))
    t.equal(await vault.shell('cat count'), '100\n')
  },
})
