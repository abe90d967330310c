/** Which server is dialled for a chain, with a real DNS server and real listeners on loopback. */
import { networkInterfaces } from 'node:os'
import t, { type Test } from 'tap'
import { nativeCrypto } from '../../src/adapters/node/native-crypto.js'
import { listenWebSocket } from '../../src/adapters/node/web-socket/listen.js'
import { type ServerDialer, serverDialer } from '../../src/library/server-dialer.js'
import { serversOfChain } from '../../src/sync/servers-of-chain.js'
import { parseServerUrl, type ServerAddress } from '../../src/wire/index.js'
import { a, dnsServer, type DnsForTests } from '../helpers/dns-server.js'

const HOST = 'db.example.org'
const CHAINS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']

/** Listeners on addresses of loopback and one port, and a name for them. */
async function servers(
  t: Test,
  count: number,
): Promise<{
  dns: DnsForTests
  server: ServerAddress
  addresses: string[]
  /** Where connections have arrived. */
  arrived: string[]
  stop: (address: string) => Promise<void>
}> {
  const addresses = Array.from({ length: count }, (_, i) => `127.0.0.${i + 2}`)
  const arrived: string[] = []
  const listeners = new Map<string, Awaited<ReturnType<typeof listenWebSocket>>>()
  let port = 0
  for (const host of addresses) {
    const listener = await listenWebSocket({
      host,
      port,
      onTransport: (transport) => {
        arrived.push(host)
        transport.destroy()
      },
    })
    port = listener.port
    listeners.set(host, listener)
  }
  const dns = await dnsServer(t, { records: { [HOST]: addresses.map((address) => a(HOST, address)) } })
  const stop = async (address: string): Promise<void> => {
    await listeners.get(address)?.close()
    listeners.delete(address)
  }
  t.teardown(() => Promise.all([...listeners.keys()].map(stop)))
  return { dns, server: parseServerUrl(`ws://${HOST}:${port}/db`), addresses, arrived, stop }
}

async function visit(dialer: ServerDialer): Promise<void> {
  const transport = await dialer.dial()
  transport.destroy()
}

const isLinux = process.platform === 'linux' && Object.keys(networkInterfaces()).includes('lo')
/** Only there every address of 127.0.0.0/8 is this machine's. */
const skip = isLinux ? false : 'needs the addresses of loopback'

t.test(
  'every client goes to the same one of several servers, and to the next when that is away',
  { skip },
  async (t) => {
    const { dns, server, addresses, arrived, stop } = await servers(t, 3)
    const orderOf = (chain: string): string[] =>
      serversOfChain(
        nativeCrypto,
        chain,
        addresses.map((host) => ({ host, port: server.port })),
      ).map(({ host }) => host)
    for (const chain of CHAINS) {
      const dialer = serverDialer({ server, chain, dns: { dnsServer: dns.address } })
      await visit(dialer)
      t.equal(arrived.at(-1), orderOf(chain)[0])
      t.equal(dialer.trust.server, `${orderOf(chain)[0]}:${server.port}`, 'each has its own key')
      t.ok(dialer.isOwner)
    }
    t.ok(new Set(arrived).size > 1, 'they are spread')
    const chain = CHAINS[0] ?? ''
    const [first = '', second] = orderOf(chain)
    const dialer = serverDialer({ server, chain, dns: { dnsServer: dns.address } })
    await stop(first)
    await visit(dialer)
    t.equal(arrived.at(-1), second)
    t.notOk(dialer.isOwner, 'it is not to be asked to make the chain')
    for (const address of addresses) await stop(address)
    await t.rejects(dialer.dial(), { code: 'CONNECTION_FAILED' })
  },
)

t.test('one server keeps the name that was given', async (t) => {
  const { dns, server, arrived } = await servers(t, 1)
  const dialer = serverDialer({ server, chain: 'a', dns: { dnsServer: dns.address } })
  await visit(dialer)
  t.equal(dialer.trust.server, `${HOST}:${server.port}`)
  t.equal(arrived.length, 1)
  t.same(await dialer.trust.published?.keys(), [])
  const given = new AbortController()
  given.abort()
  await t.rejects(dialer.dial(given.signal), { code: 'ABORTED' })
})
