import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import t from 'tap'
import { nobleProvider } from '../../src/engine/crypto/noble-provider.js'
import { type ServerPlace, serversOfChain } from '../../src/sync/servers-of-chain.js'
import { serverName } from '../../src/wire/index.js'

const orderOf = (chain: string, servers: readonly ServerPlace[]): string[] =>
  serversOfChain(nobleProvider, chain, servers).map(serverName)

const FIVE = [1, 2, 3, 4, 5].map((last) => ({ host: `10.0.0.${last}`, port: 5000 }))
const CHAINS = Array.from({ length: 2000 }, (_, i) => `example.org/chain ${i}`)

t.test('the order is that of the specification', async (t) => {
  const servers = [...FIVE, { host: '2001:db8::1', port: 5000 }]
  const drawn = servers.map((server) => {
    const hash = createHash('sha256')
      .update('\x18atefs v1 server of chain')
      .update(`${serverName(server)} müsic`)
    return [hash.digest('hex'), serverName(server)] as const
  })
  const expected = drawn.sort(([a], [b]) => (a < b ? 1 : -1)).map(([, name]) => name)
  t.same(orderOf('müsic', servers), expected)
  t.same(
    orderOf('mydb', FIVE),
    ['10.0.0.5:5000', '10.0.0.2:5000', '10.0.0.3:5000', '10.0.0.1:5000', '10.0.0.4:5000'],
    'and stays so: chains lie where it says',
  )
})

t.test('neither the order nor the spelling of the addresses matters, and each counts once', async (t) => {
  const spelt = [
    { host: '2001:0DB8:0:0:0:0:0:1', port: 5000 },
    { host: '2001:db8::1', port: 5000 },
    { host: '2001:db8::1', port: 5001 },
  ]
  t.same(orderOf('a', spelt).length, 2)
  await fc.assert(
    fc.asyncProperty(fc.string(), fc.shuffledSubarray(FIVE, { minLength: 5 }), async (chain, servers) => {
      t.strictSame(orderOf(chain, servers), orderOf(chain, FIVE))
    }),
    { numRuns: 50 },
  )
})

t.test('the chains are spread evenly, and a server that goes moves only its own', async (t) => {
  const counts = new Map<string, number>()
  const without = FIVE.slice(0, 4)
  for (const chain of CHAINS) {
    const [first = '', second] = orderOf(chain, FIVE)
    counts.set(first, (counts.get(first) ?? 0) + 1)
    const [now] = orderOf(chain, without)
    if (now !== (first === '10.0.0.5:5000' ? second : first)) t.fail(`${chain} moved`)
  }
  t.equal(counts.size, 5)
  for (const [server, count] of counts) t.ok(count > 300 && count < 500, `${server} has ${count} of 2000`)
})

t.test('without servers there is none', async (t) => {
  t.same(orderOf('a', []), [])
})
