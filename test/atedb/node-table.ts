/** Servers that share a name find each other by its addresses, and number themselves alike. */
import t from 'tap'
import { nodeTable } from '../../src/atedb/node-table.js'
import type { ServerSettings } from '../../src/atedb/settings.js'
import { parseServerUrl } from '../../src/wire/index.js'
import { a, dnsServer } from '../helpers/dns-server.js'

const HOST = 'db.example.org'
const url = parseServerUrl(`ws://${HOST}:5000/db`)

t.test('of three addresses each is a server, in the same order wherever it is asked', async (t) => {
  const addresses = ['192.0.2.30', '127.0.0.1', '192.0.2.4']
  const dns = await dnsServer(t, { records: { [HOST]: addresses.map((each) => a(HOST, each)) }, isValidated: false })
  const table = (nodes: Partial<ServerSettings['nodes']> = {}) => {
    const given = { list: undefined, id: undefined, dnsServer: dns.address, dnsSec: false, ...nodes }
    return nodeTable({ url, nodes: given })
  }
  const order = ['127.0.0.1', '192.0.2.30', '192.0.2.4'].map((host) => ({ host, port: 5000 }))
  const { nodes, own } = await table()
  t.strictSame(nodes, order)
  t.strictSame(own, order[0], 'the address of this machine')
  dns.zone.records[HOST]?.reverse()
  t.strictSame((await table()).nodes, order, 'however they are answered')
  t.strictSame((await table({ id: 2 })).own, order[2])
  await t.rejects(table({ id: 3 }), { code: 'BAD_ARGUMENT' })

  await t.rejects(table({ dnsSec: true }), { code: 'CONNECTION_FAILED' }, 'not validated')
  dns.zone.isValidated = true
  t.strictSame((await table({ dnsSec: true })).nodes, order)

  dns.zone.records[HOST] = addresses.filter((each) => each !== '127.0.0.1').map((each) => a(HOST, each))
  await t.rejects(table(), { code: 'BAD_ARGUMENT', hint: /--node-id: 0 is 192\.0\.2\.30:5000, 1 is 192\.0\.2\.4:5000/ })
  dns.zone.records[HOST] = [a(HOST, '192.0.2.4')]
  t.strictSame((await table()).own, { host: HOST, port: 5000 }, 'the only one')
})
