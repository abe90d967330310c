/** Mounts whose files have the times of a time server. */
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { cliWorld, shell } from '../helpers/cli.js'
import { answer, timeServer } from '../helpers/time-server.js'

t.test('files have the times of the time server that was named, and nobody waits for it', async (t) => {
  const world = cliWorld(t)
  const vault = world.path('vault')
  let isSilent = true
  const server = await timeServer(t, (request) => (isSilent ? undefined : answer(request, 20_000)))
  const flags = ['--no-auth', '--ntp-pool', server.host, '--ntp-port', String(server.port)]
  t.equal((await world.run(['mount', vault, ...flags])).code, 0, 'it says nothing yet')
  const aheadOf = async (name: string): Promise<number> =>
    Number(await shell(`touch ${vault}/${name}; stat -c %Y ${vault}/${name}`)) - Date.now() / 1000
  t.ok(Math.abs(await aheadOf('before')) < 10)
  isSilent = false
  await world.run(['umount', vault])
  t.equal((await world.run(['mount', vault, ...flags])).code, 0)
  while (server.asked() < 4) await sleep(50)
  let aheadSeconds = 0
  for (let i = 0; i < 100 && aheadSeconds < 10; i++) {
    await sleep(50)
    aheadSeconds = await aheadOf(`after-${i}`)
  }
  t.ok(aheadSeconds > 10 && aheadSeconds < 25, `${aheadSeconds} seconds ahead`)
})

t.test('without a time server nobody is asked, and the flags exclude each other', async (t) => {
  const world = cliWorld(t)
  const wrong = await world.run(['mount', world.path('vault'), '--no-ntp', '--ntp-pool', 'localhost', '--json'])
  t.equal(wrong.code, 2)
  t.match(wrong.json(), { error: { code: 'BAD_ARGUMENT', message: /ntp/ } })
})
