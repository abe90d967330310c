/** Chains whose clock is corrected by time servers: nothing waits for them, and nobody is asked unless that is wanted. */
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { AteConfig, ChainBuilder, dataType, infoOf, plain } from '../../src/index.js'
import { answer, timeServer } from '../helpers/time-server.js'

const Note = dataType('Note', plain<{ text: string }>())
/** A time server that is ahead by so much; undefined: it says nothing. */
async function serverAhead(t: Test, aheadMs: number | undefined): Promise<{ pool: string; port: number }> {
  const { host, port } = await timeServer(t, (request) =>
    aheadMs === undefined ? undefined : answer(request, aheadMs),
  )
  return { pool: host, port }
}

const aheadOf = (chain: { nowMs(): number }): number => Math.round((chain.nowMs() - Date.now()) / 1000)

await t.test('a chain has the time of the servers, as soon as they have said it', async (t) => {
  const ntp = await serverAhead(t, 20_000)
  await using chain = await new ChainBuilder(AteConfig.default().with({ ntp })).open('clock')
  for (let i = 0; i < 500 && aheadOf(chain) !== 20; i++) await sleep(10)
  t.equal(aheadOf(chain), 20)
  const { key } = await chain.transact((dio) => dio.store({ text: 'x' }, { type: Note }))
  const { createdAt } = infoOf(await chain.dio().load(Note, key))
  t.equal(Math.round(((createdAt?.getTime() ?? 0) - Date.now()) / 1000), 20)
})

await t.test('silent servers hold up neither opening nor commits nor the end', async (t) => {
  const ntp = await serverAhead(t, undefined)
  const begin = performance.now()
  const chain = await new ChainBuilder(AteConfig.default().with({ ntp })).open('clock')
  await chain.transact((dio) => dio.store({ text: 'x' }, { type: Note }))
  await chain.close()
  t.ok(performance.now() - begin < 2000)
  t.equal(aheadOf(chain), 0)
})

await t.test('an absurd time is told of, and not believed', async (t) => {
  const ntp = await serverAhead(t, 10 * 365 * 86_400_000)
  const notices: string[] = []
  const config = AteConfig.default().with({ ntp, onNotice: (message) => notices.push(message) })
  await using chain = await new ChainBuilder(config).open('clock')
  for (let i = 0; i < 500 && notices.length === 0; i++) await sleep(10)
  t.match(notices, [/clock is off by 315360000 seconds.*tolerance of 40/])
  t.equal(aheadOf(chain), 0)
})

await t.test('the tolerance can be chosen', async (t) => {
  const ntp = await serverAhead(t, 20_000)
  const notices: string[] = []
  const config = AteConfig.default().with({ ntp, clockToleranceMs: 5000, onNotice: (message) => notices.push(message) })
  await using chain = await new ChainBuilder(config).open('clock')
  for (let i = 0; i < 500 && notices.length === 0; i++) await sleep(10)
  t.equal(notices.length, 1)
  t.equal(aheadOf(chain), 0)
})
