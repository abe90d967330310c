import t from 'tap'
import { cliWorld, shell } from '../helpers/cli.js'

t.test('status without mounts is empty, and of a directory 10', async (t) => {
  const world = cliWorld(t)
  const empty = await world.run(['status', world.directory, '--json'])
  t.equal(empty.code, 10)
  t.match(empty.json(), { error: { code: 'NOT_MOUNTED' } })
})

t.test('status tells process, driver, chain, sizes and what is durable', async (t) => {
  const world = cliWorld(t)
  const vault = world.path('vault')
  const mounted = (await world.run(['mount', vault, 'box', '--no-auth', '--json'])).json()
  const before = (await world.run(['status', vault, '--json'])).json()
  t.match(before, {
    pid: mounted['pid'],
    state: 'mounted',
    mountpoint: vault,
    driver: 'direct',
    chain: 'box',
    directory: world.path('data/atefs/box'),
    readOnly: false,
    temporary: false,
    chainId: /^[0-9a-f]{32}$/,
    suite: 'aes-256-gcm',
    keyBits: 256,
    headDigest: /^[0-9a-f]{64}$/,
    dirtyBytes: 0,
    inFlightBytes: 0,
  })
  await shell(`head -c 1000000 /dev/urandom > ${vault}/data; sync ${vault}/data`)
  const after = (await world.run(['status', vault, '--json'])).json()
  t.ok(Number(after['logBytes']) >= Number(before['logBytes']) + 1_000_000)
  t.ok(Number(after['durableSequence']) > Number(before['durableSequence']))
  t.equal(after['durableSequence'], after['headSequence'])
  const table = (await world.run(['status'])).stdout
  t.match(table, `${vault}\n  state      mounted\n  process    ${String(mounted['pid'])} (driver direct)`)
})

t.test('status of several mounts is a list', async (t) => {
  const world = cliWorld(t)
  for (const name of ['a', 'b']) await world.run(['mount', world.path(name), '--temp'])
  const { mounts } = (await world.run(['status', '--json'])).json()
  const ours = (Array.isArray(mounts) ? mounts : []) as { mountpoint: string }[]
  const places = ours.map((mount) => mount.mountpoint).filter((place) => place.startsWith(world.directory))
  t.same(places, [world.path('a'), world.path('b')])
})
