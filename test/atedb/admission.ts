import t from 'tap'
import { admission } from '../../src/atedb/admission.js'
import { ownNode, parseNodesList } from '../../src/atedb/nodes.js'
import { AteError } from '../../src/engine/error.js'
import { failureDetail } from '../../src/sync/index.js'

const nodes = parseNodesList('10.0.0.1\n10.0.0.2\n10.0.0.3', 5000)
const [alone = nodes[0]] = nodes

t.test('each chain is taken by exactly one of five servers, and the others say by which', (t) => {
  for (let i = 0; i < 50; i++) {
    const answers = nodes.map((own) => {
      try {
        admission(undefined, { nodes, own })({ kind: 'create', chain: `a/chain ${i}` })
        return `${own.host}:${own.port}`
      } catch (error) {
        t.match(error, { code: 'OTHER_SERVER' })
        return failureDetail(error)?.server
      }
    })
    t.equal(new Set(answers).size, 1, String(answers))
  }
  const [one, other] = nodes.slice(0, 2)
  if (one === undefined || other === undefined) throw new Error('two nodes')
  const isTaken = (chain: string, own = one): boolean => {
    try {
      admission(undefined, { nodes: [one, other], own })({ kind: 'open', chain })
      return true
    } catch {
      return false
    }
  }
  for (const chain of ['a', 'b', 'c', 'd']) t.equal(isTaken(chain), isTaken(`/${chain}/`), 'however the name is spelt')
  t.throws(() => admission(undefined, { nodes, own: one })({ kind: 'open', chain: '../a' }), {
    code: 'BAD_ARGUMENT',
  })
  t.end()
})

t.test('without accounts nobody makes a chain, and is told what to type', (t) => {
  if (alone === undefined) throw new Error('a node')
  const table = { nodes: [alone], own: ownNode([alone], undefined, 5000) }
  const admit = admission('ws://localhost:5001/auth', table)
  t.doesNotThrow(() => admit({ kind: 'open', chain: 'a' }))
  t.doesNotThrow(() => admit({ kind: 'list', chain: '' }))
  try {
    admit({ kind: 'create', chain: 'a' })
    t.fail('it was let in')
  } catch (error) {
    t.ok(error instanceof AteError)
    t.match(error, { code: 'NOT_AUTHORIZED', message: /accounts.*atedb --no-auth solo/ })
  }
  t.doesNotThrow(() => admission(undefined, table)({ kind: 'create', chain: 'a' }))
  t.end()
})
