/** Names of servers, looked up at a real DNS server on loopback. */
import { encode } from 'dns-packet'
import * as fc from 'fast-check'
import t from 'tap'
import { askDns } from '../../../src/adapters/node/dns/ask.js'
import { parseDnsServer } from '../../../src/adapters/node/dns/dns-server.js'
import { findServers, keysIn, publishedKeys } from '../../../src/adapters/node/dns/find-servers.js'
import { decodeAnswer, encodeQuestion } from '../../../src/adapters/node/dns/packets.js'
import { a, aaaa, alias, dnsServer, txt } from '../../helpers/dns-server.js'

const NAME = 'db.example.org'
const PLACE = { host: NAME, port: 5000 }
const [KEY, OTHER] = ['ab'.repeat(32), 'cd'.repeat(32)]

t.test('several records of a name are as many servers', async (t) => {
  const addresses = ['10.0.0.1', '10.0.0.2', '10.0.0.3']
  const dns = await dnsServer(t, {
    records: {
      [NAME]: [...addresses.map((one) => a(NAME, one)), aaaa(NAME, '2001:db8::1'), aaaa(NAME, '2001:db8::2')],
    },
  })
  const found = await findServers(PLACE, { dnsServer: dns.address })
  t.same(
    found,
    addresses.map((host) => ({ host, port: 5000, addresses: [host] })),
    'where there are A records, those alone: everybody has to come to the same',
  )
  dns.zone.records = { [NAME]: [aaaa(NAME, '2001:db8::1'), aaaa(NAME, '2001:db8::2')] }
  const six = await findServers(PLACE, { dnsServer: dns.address })
  t.same(
    six.map(({ host }) => host),
    ['2001:db8::1', '2001:db8::2'],
  )
})

t.test('one record of each kind is one server, also behind an alias', async (t) => {
  const real = 'real.example.net'
  const dns = await dnsServer(t, {
    records: { [NAME]: [alias(NAME, real)], [real]: [a(real, '10.0.0.1'), aaaa(real, '2001:db8::1')] },
  })
  const found = await findServers(PLACE, { dnsServer: dns.address })
  t.same(found, [{ host: NAME, port: 5000, addresses: ['10.0.0.1', '2001:db8::1'] }])
})

t.test('localhost and addresses are never looked up', async (t) => {
  const dns = await dnsServer(t, { records: {}, isSilent: true })
  for (const host of ['localhost', 'a.localhost', '127.0.0.1', '::1', '192.0.2.1']) {
    const options = { dnsServer: dns.address, dnsSec: true }
    t.same(await findServers({ host, port: 1 }, options), [{ host, port: 1, addresses: [] }])
    t.equal(publishedKeys({ host, port: 1 }, options), undefined)
  }
  t.same(dns.asked, [])
})

t.test('an answer that is too large for a datagram comes by TCP', async (t) => {
  const many = Array.from({ length: 100 }, (_, i) => a(NAME, `10.0.1.${i}`))
  const dns = await dnsServer(t, { records: { [NAME]: many }, isCut: true })
  t.equal((await findServers(PLACE, { dnsServer: dns.address })).length, 100)
})

t.test('a name that is not there, a server that refuses, and one that is silent are told within bounds', async (t) => {
  const dns = await dnsServer(t, { records: {} })
  const options = { dnsServer: dns.address, timeoutMs: 300 }
  await t.rejects(findServers(PLACE, options), { code: 'CONNECTION_FAILED', message: /no server named/ })
  dns.zone.code = 2
  await t.rejects(findServers(PLACE, options), { code: 'CONNECTION_FAILED', message: /SERVFAIL/ })
  dns.zone.isSilent = true
  const sinceMs = performance.now()
  await t.rejects(findServers(PLACE, options), { code: 'TIMED_OUT' })
  t.ok(performance.now() - sinceMs < 3000)
  const giveUp = AbortSignal.timeout(50)
  await t.rejects(findServers(PLACE, { ...options, timeoutMs: 60_000, signal: giveUp }), { code: 'ABORTED' })
  await t.rejects(findServers({ host: 'none.invalid', port: 1 }, { timeoutMs: 3000 }), {
    code: /CONNECTION_FAILED|TIMED_OUT/,
  })
})

t.test('the next DNS server is asked when one does not answer', async (t) => {
  const silent = await dnsServer(t, { records: {}, isSilent: true })
  const dns = await dnsServer(t, { records: { [NAME]: [a(NAME, '10.0.0.1')] } })
  const servers = [silent, dns].map(({ address }) => parseDnsServer(address))
  const { values } = await askDns({ type: 'A', name: NAME }, { servers, timeoutMs: 800 })
  t.same(values, ['10.0.0.1'])
})

t.test('with DNSSEC only what the DNS server has validated counts', async (t) => {
  const dns = await dnsServer(t, { records: { [NAME]: [a(NAME, '10.0.0.1')], [`_atefs.${NAME}`]: [] } })
  const options = { dnsServer: dns.address, dnsSec: true }
  await t.rejects(findServers(PLACE, options), { code: 'CONNECTION_FAILED', message: /not validated/ })
  await t.rejects(Promise.resolve(publishedKeys(PLACE, options)?.keys()), { message: /not validated/ })
  dns.zone.isValidated = true
  t.equal((await findServers(PLACE, options)).length, 1)
  t.same(await publishedKeys(PLACE, options)?.keys(), [])
})

t.test('answers to other questions are passed over', async (t) => {
  const dns = await dnsServer(t, {
    records: { [NAME]: [a(NAME, '10.0.0.1')] },
    before: ({ id = 0, questions = [] }) => {
      const forged = (change: object): Uint8Array =>
        encode({ type: 'response', id, flags: 0, questions, answers: [a(NAME, '6.6.6.6')], ...change })
      return [
        forged({ id: (id + 1) % 0x1_0000 }),
        forged({ questions: [{ type: 'A', name: 'other.example.org' }] }),
        forged({ type: 'query' }),
        new Uint8Array([1, 2, 3]),
        encode({ type: 'response', id, questions: [], answers: [a(NAME, '6.6.6.6')] }),
      ]
    },
  })
  t.same((await findServers(PLACE, { dnsServer: dns.address }))[0]?.addresses, ['10.0.0.1'])
  dns.zone.before = () => []
  dns.zone.records = { [NAME]: [a('other.example.org', '6.6.6.6')] }
  await t.rejects(
    findServers(PLACE, { dnsServer: dns.address }),
    { message: /no server named/ },
    'nor records of other names',
  )
})

t.test('the keys of a server are published in TXT records', async (t) => {
  const name = `_atefs.${NAME}`
  const dns = await dnsServer(t, {
    records: {
      [name]: [
        txt(name, 'v=spf1 -all'),
        txt(name, `atefs1 key=${KEY.toUpperCase()} port=5000 later=x`),
        txt(name, 'atefs1 port=6000 ', `key=${OTHER}`),
      ],
    },
  })
  const published = publishedKeys(PLACE, { dnsServer: dns.address })
  t.equal(published?.isValidated, false)
  t.same(await published?.keys(), [KEY])
  t.same(await publishedKeys({ ...PLACE, port: 6000 }, { dnsServer: dns.address })?.keys(), [OTHER])
  dns.zone.isSilent = true
  t.same(
    await publishedKeys(PLACE, { dnsServer: dns.address, timeoutMs: 100 })?.keys(),
    [],
    'silence publishes nothing',
  )
})

t.test('texts of others are no keys', async (t) => {
  t.same(keysIn(`atefs1 key=${KEY} key=${OTHER}`, 1), [KEY, OTHER])
  for (const text of ['', 'atefs1', `atefs2 key=${KEY}`, `key=${KEY}`, 'atefs1 key=12', `atefs1 key=${KEY}0`])
    t.same(keysIn(text, 1), [], text)
})

t.test('addresses of DNS servers', async (t) => {
  t.same(parseDnsServer('8.8.8.8'), { address: '8.8.8.8', port: 53 })
  t.same(parseDnsServer('127.0.0.1:5353'), { address: '127.0.0.1', port: 5353 })
  t.same(parseDnsServer('::1'), { address: '::1', port: 53 })
  t.same(parseDnsServer('[::1]:5353'), { address: '::1', port: 5353 })
  t.same(parseDnsServer('[::1]'), { address: '::1', port: 53 })
  for (const text of ['', 'dns.example.org', '8.8.8.8:0', '8.8.8.8:99999', '8.8.8', '[::1', '::1:x', '8.8.8.8:'])
    t.throws(() => parseDnsServer(text), { code: 'BAD_ARGUMENT' }, text)
})

t.test('whatever a DNS server sends is an answer, or none, or a coded error', async (t) => {
  const question = { type: 'A', name: NAME } as const
  const valid = encode({
    type: 'response',
    id: 7,
    questions: [question],
    answers: [alias(NAME, 'b.org'), a('b.org', '1.2.3.4')],
  })
  t.same(decodeAnswer(valid, 7, question)?.values, ['1.2.3.4'])
  const flips = fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 })
  const attempt = (bytes: Uint8Array): void => {
    try {
      decodeAnswer(bytes, 7, question)
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error) || error.code !== 'CONNECTION_FAILED') throw error
    }
  }
  fc.assert(
    fc.property(flips, (changes) => {
      const bytes = Uint8Array.from(valid)
      for (const [at, value] of changes) bytes[at] = value
      attempt(bytes)
    }),
    { numRuns: 2000 },
  )
  fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), attempt), { numRuns: 1000 })
  t.ok(encodeQuestion(1, question).length < 100)
})

t.test('a DNS server that cannot be reached from here at all is told, and the next is asked', async (t) => {
  const dns = await dnsServer(t, { records: { [NAME]: [a(NAME, '10.0.0.1')] } })
  // Nobody has a route to port 53 of the broadcast address: connecting fails at once.
  const servers = [parseDnsServer('255.255.255.255'), parseDnsServer(dns.address)]
  t.equal((await askDns({ type: 'A', name: NAME }, { servers })).values.length, 1)
  const [nowhere] = servers
  if (nowhere === undefined) throw new Error('no server')
  await t.rejects(askDns({ type: 'A', name: NAME }, { servers: [nowhere] }), { code: 'CONNECTION_FAILED' })
})
