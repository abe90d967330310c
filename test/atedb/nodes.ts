import fc from 'fast-check'
import t from 'tap'
import { ownNode, parseNodesList } from '../../src/atedb/nodes.js'
import { errorCode } from '../../src/engine/error.js'

t.test('a list of nodes is one address in a line, with or without a port', (t) => {
  const text =
    '# all of them\n192.0.2.1\n\n192.0.2.2:5001  # the second\n2001:DB8::1\n[2001:db8::2]:5002\nnode.Example.org\n'
  t.same(parseNodesList(text, 5000), [
    { host: '192.0.2.1', port: 5000 },
    { host: '192.0.2.2', port: 5001 },
    { host: '2001:db8::1', port: 5000 },
    { host: '2001:db8::2', port: 5002 },
    { host: 'node.example.org', port: 5000 },
  ])
  for (const bad of [
    '',
    '# none',
    'a b',
    'ws://a',
    'a/b',
    'a:99999',
    'a\na',
    '[::1',
    'a:0',
    'user@a',
    'a?b',
    '::1\n[::1]:5000',
  ])
    t.throws(() => parseNodesList(bad, 5000), { code: 'BAD_FORMAT' }, JSON.stringify(bad))
  t.end()
})

t.test('whatever the list holds, it is parsed or refused', (t) => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        return parseNodesList(text, 5000).length > 0
      } catch (error) {
        return errorCode(error) === 'BAD_FORMAT'
      }
    }),
    { numRuns: 500 },
  )
  t.end()
})

t.test('which node this is: as it was told, or by the addresses of the machine', (t) => {
  const nodes = parseNodesList('192.0.2.1\n192.0.2.2\n192.0.2.2:5001', 5000)
  const ours = new Set(['127.0.0.1', '192.0.2.2'])
  t.same(ownNode(nodes, 0, 5000, ours), nodes[0])
  t.same(ownNode(nodes, undefined, 5000, ours), nodes[1])
  t.same(ownNode(nodes, undefined, 5001, ours), nodes[2])
  t.same(ownNode(nodes.slice(0, 1), undefined, 7, ours), nodes[0], 'the only one there is')
  t.throws(() => ownNode(nodes, 3, 5000, ours), { code: 'BAD_ARGUMENT' })
  t.throws(() => ownNode(nodes, undefined, 5002, ours), { code: 'BAD_ARGUMENT', hint: /1 is 192\.0\.2\.2:5000/ })
  t.end()
})
