import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { hasPendingKill, isDying } from '../../../../src/fs/drivers/direct/dying-thread.js'

function status(thread: string, group: string): string {
  return `Name:\tsh\nSigQ:\t0/1\nSigPnd:\t${thread}\nShdPnd:\t${group}\nSigBlk:\t0000000000000100\nSigIgn:\t0000000000000100\n`
}

t.test('a pending SIGKILL of the thread or of its process is death, any other signal is not', (t) => {
  t.equal(hasPendingKill(status('0000000000000100', '0000000000000000')), true)
  t.equal(hasPendingKill(status('0000000000000000', '0000000000000100')), true)
  t.equal(hasPendingKill(status('0000000000000000', '0000000000000000')), false)
  t.equal(hasPendingKill(status('0000000000004002', '0000000000004002')), false)
  t.equal(hasPendingKill(''), false)
  t.equal(hasPendingKill('SigPnd:\tnonsense\n'), false)
  t.end()
})

t.test('a thread that lives, and one that is not there, are not dying', async (t) => {
  t.equal(isDying(process.pid), false)
  t.equal(isDying(0), false)
  const child = spawn('true')
  await once(child, 'exit')
  t.equal(isDying(child.pid ?? 0), false)
})
