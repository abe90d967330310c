/** Nobody sleeps through what came as he was looking for something to do. */
import t from 'tap'
import { Waker } from '../../../src/engine/dio/waker.js'

const NEVER = new AbortController().signal

t.test('a wake between looking and waiting is not missed', async (t) => {
  const waker = new Waker()
  const { count } = waker
  waker.wake()
  await waker.wait(count, undefined, NEVER)
  let isAwake = false
  const waiting = waker.wait(waker.count, undefined, NEVER).then(() => (isAwake = true))
  await new Promise((resolve) => setTimeout(resolve, 5))
  t.equal(isAwake, false, 'an old one wakes nobody')
  waker.wake()
  await waiting
})

t.test('waiting ends in time, and when it is given up', async () => {
  const waker = new Waker()
  await waker.wait(waker.count, 1, NEVER)
  await waker.wait(waker.count, undefined, AbortSignal.abort())
})
