import * as fc from 'fast-check'
import t from 'tap'
import { errorCode } from '../../src/engine/error.js'
import { formatServerUrl, parseChainUrl, parseServerUrl, serverName, targetOf } from '../../src/wire/url.js'

t.test('a port that is not given is that of the scheme', async (t) => {
  t.same(parseServerUrl('ws://example.org/db'), { scheme: 'ws', host: 'example.org', port: 80, path: '/db' })
  t.same(parseServerUrl('wss://example.org/db'), { scheme: 'wss', host: 'example.org', port: 443, path: '/db' })
  t.same(parseServerUrl('WS://LocalHost:5001/auth/'), { scheme: 'ws', host: 'localhost', port: 5001, path: '/auth' })
  t.same(parseServerUrl('ws://10.0.0.1:443'), { scheme: 'ws', host: '10.0.0.1', port: 443, path: '/' })
  t.same(parseServerUrl('ws://[::1]:5000/db'), { scheme: 'ws', host: '::1', port: 5000, path: '/db' })
})

t.test('the name of a chain is in the address, beside it, or both', async (t) => {
  const server = { scheme: 'ws', host: 'host', port: 80, path: '/db' }
  t.same(parseChainUrl('ws://host/db/mydb'), { server, chain: 'mydb' })
  t.same(parseChainUrl('ws://host/db', 'mydb'), { server, chain: 'mydb' })
  t.same(parseChainUrl('ws://host/db/example.org/anna/notes'), { server, chain: 'example.org/anna/notes' })
  t.same(parseChainUrl('ws://host/db/example.org/anna', 'notes'), { server, chain: 'example.org/anna/notes' })
  t.same(parseChainUrl('ws://host/db/m%C3%BC%20x/'), { server, chain: 'm\u00fc x' })
  t.same(parseChainUrl('ws://host/db', '100%'), { server, chain: '100%' }, 'a name is no address')
})

t.test('tcp is refused by name', async (t) => {
  t.throws(() => parseServerUrl('tcp://host:5000/db'), { code: 'NOT_SUPPORTED', hint: /ws:\/\/host:5000\/db/ })
})

t.test('what is no address, or leads elsewhere, is refused', async (t) => {
  const refused = [
    '',
    'host',
    'host:5000/db',
    'http://host/db/a',
    'ws:/host/db/a',
    'ws:///db/a',
    'ws://host:/db/a',
    'ws://host:0/db/a',
    'ws://host:65536/db/a',
    'ws://anna:secret' + '@host/db/a',
    'ws://ho st/db/a',
    'ws://host/db/a?b=c',
    'ws://host/db/a#b',
    'ws://host/db/../a',
    'ws://host/db/%2e%2e/a',
    'ws://host/../a',
    'ws://host/db/./a',
    'ws://host/db/~/a',
    'ws://host/db/~anna',
    'ws://host/db//a',
    'ws://host/db/a%2fb',
    'ws://host/db/a%5cb',
    'ws://host/db/a%00',
    'ws://host/db/%ff',
    'ws://host/db/%1b[31m',
    `ws://host/db/${'a'.repeat(256)}`,
    `ws://host/db/${'a/'.repeat(2000)}`,
    'ws://host/db',
    'ws://host/',
  ]
  for (const url of refused) t.throws(() => parseChainUrl(url), { code: 'BAD_ARGUMENT' }, url.slice(0, 60))
  for (const name of ['', '..', 'a/../b', '/a//b', '~', 'a\nb'])
    t.throws(() => parseChainUrl('ws://host/db', name), { code: 'BAD_ARGUMENT' }, JSON.stringify(name))
  t.throws(() => parseServerUrl('ws://host/db/chain'), { code: 'BAD_ARGUMENT' })
})

t.test('an address has one spelling, which is read as the same address', async (t) => {
  for (const url of ['ws://host/db', 'wss://[::1]:5000/db', 'ws://10.0.0.1/', 'ws://host/d%C3%BC']) {
    const server = parseServerUrl(url)
    t.same(parseServerUrl(formatServerUrl(server)), server)
  }
  const server = parseServerUrl('ws://[::1]/db')
  t.equal(serverName(server), '[::1]:80')
  t.equal(targetOf(server), '[::1]:80/db')
  t.equal(formatServerUrl(server), 'ws://[::1]:80/db')
})

t.test('whatever is typed is an address or an error with a code, and a name never leads elsewhere', async () => {
  const part = fc.oneof(fc.constantFrom('..', '.', '~', '%2e%2e', '%2f', '\\', '', 'a', '%00'), fc.string())
  const url = fc
    .tuple(fc.constantFrom('ws://h/', 'ws://', 'wss://h:1/', ''), fc.array(part))
    .map(([start, parts]) => start + parts.join('/'))
  fc.assert(
    fc.property(url, fc.oneof(part, fc.constant('')), (text, name) => {
      try {
        const { chain } = parseChainUrl(text, name)
        return (
          chain !== '' &&
          chain.split('/').every((each) => !['', '.', '..'].includes(each)) &&
          !/[\0-\x1f\\]/.test(chain)
        )
      } catch (error) {
        return errorCode(error) !== undefined
      }
    }),
    { seed: 5, numRuns: 3000 },
  )
})
