import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { lockChain, readLockPid } from '../../../src/adapters/node/chain-lock.js'

function directory(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'atefs-lock-'))
  t.teardown(() => rmSync(path, { recursive: true }))
  return path
}

await t.test('one writer at a time, who is named', async (t) => {
  const path = directory(t)
  const lock = lockChain(path, { readOnly: false })
  t.equal(readFileSync(join(path, 'lock'), 'latin1'), `${process.pid}\n`)
  t.throws(() => lockChain(path, { readOnly: false }), {
    code: 'CHAIN_LOCKED',
    message: new RegExp(`process ${process.pid}`),
  })
  t.throws(() => lockChain(path, { readOnly: true }), { code: 'CHAIN_LOCKED' })
  lock.release()
  lock.release()
  lockChain(path, { readOnly: false }).release()
})

await t.test('many readers, but no writer beside them', async (t) => {
  const path = directory(t)
  lockChain(path, { readOnly: true }).release()
  t.notOk(existsSync(join(path, 'lock')), 'a reader makes no file')
  lockChain(path, { readOnly: false }).release()
  const readers = [lockChain(path, { readOnly: true }), lockChain(path, { readOnly: true })]
  t.throws(() => lockChain(path, { readOnly: false }), { code: 'CHAIN_LOCKED' })
  for (const reader of readers) reader.release()
  lockChain(path, { readOnly: false }).release()
})

await t.test('a lock left by a killed process does not block', async (t) => {
  const path = directory(t)
  writeFileSync(join(path, 'lock'), '')
  // flock(1) takes the same lock as we do, and -F makes it become the command.
  const holder = spawn('flock', ['-F', join(path, 'lock'), 'sh', '-c', 'echo held; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(holder, 'exit')
  await once(holder.stdout, 'data')
  t.throws(() => lockChain(path, { readOnly: false }), { code: 'CHAIN_LOCKED', message: /another process/ })
  holder.kill('SIGKILL')
  await ended
  lockChain(path, { readOnly: false }).release()
})

await t.test('who closed its chain with everything durable is named no more, who did not is', async (t) => {
  const path = directory(t)
  t.equal(readLockPid(path), undefined, 'nobody has ever been')
  const failing = lockChain(path, { readOnly: false })
  t.equal(readLockPid(path), process.pid)
  failing.release()
  t.equal(readLockPid(path), process.pid)
  const lock = lockChain(path, { readOnly: false })
  lock.finish()
  lock.release()
  t.equal(readLockPid(path), undefined)
  lockChain(path, { readOnly: false }).release()
  const reader = lockChain(path, { readOnly: true })
  reader.finish()
  t.equal(readLockPid(path), process.pid, 'a reader changes nothing')
  reader.release()
})

await t.test('a directory that is not there is not found', async (t) => {
  t.throws(() => lockChain(join(directory(t), 'absent'), { readOnly: false }), { code: 'CHAIN_NOT_FOUND' })
})
