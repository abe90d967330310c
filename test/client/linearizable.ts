/** The judge of histories finds what is wrong with those that are, and nothing with those that are not. */
import t from 'tap'
import {
  isLinearizable,
  type Model,
  type Operation,
  queueModel,
  registerModel,
  setModel,
} from '../helpers/linearizable.js'

/** `[kind, value, outcome, from, to]` */
type Line = readonly [Operation['kind'], string, Operation['outcome'], number, number]

const cases: readonly [string, Model<Operation>, boolean, readonly Line[]][] = [
  ['nothing', registerModel, true, []],
  [
    'one after another',
    registerModel,
    true,
    [
      ['write', 'a', undefined, 0, 1],
      ['read', '', 'a', 2, 3],
    ],
  ],
  [
    'an old value is read',
    registerModel,
    false,
    [
      ['write', 'a', undefined, 0, 1],
      ['write', 'b', undefined, 2, 3],
      ['read', '', 'a', 4, 5],
    ],
  ],
  [
    'two read at the same time as one writes, in order',
    registerModel,
    true,
    [
      ['write', 'a', undefined, 0, 10],
      ['read', '', '', 1, 2],
      ['read', '', 'a', 3, 4],
    ],
  ],
  [
    'a value comes and goes',
    registerModel,
    false,
    [
      ['write', 'a', undefined, 0, 10],
      ['read', '', 'a', 1, 2],
      ['read', '', '', 3, 4],
    ],
  ],
  [
    'what nobody knows the end of may happen late',
    registerModel,
    true,
    [
      ['write', 'a', undefined, 0, Infinity],
      ['read', '', '', 1, 2],
      ['read', '', 'a', 8, 9],
    ],
  ],
  [
    'and is not undone',
    registerModel,
    false,
    [
      ['write', 'a', undefined, 0, Infinity],
      ['read', '', 'a', 1, 2],
      ['read', '', '', 8, 9],
    ],
  ],
  ['a value that nobody wrote', registerModel, false, [['read', '', 'a', 0, 1]]],
  [
    'both add what only one can',
    setModel,
    false,
    [
      ['add', 'a', true, 0, 5],
      ['add', 'a', true, 1, 6],
    ],
  ],
  [
    'one adds, another one finds it, a third one removes it',
    setModel,
    true,
    [
      ['add', 'a', true, 0, 5],
      ['has', 'a', true, 1, 2],
      ['has', 'a', false, 3, 9],
      ['remove', 'a', true, 4, 8],
      ['has', 'b', false, 4, 8],
    ],
  ],
  [
    'a member is lost',
    setModel,
    false,
    [
      ['add', 'a', true, 0, 1],
      ['has', 'a', false, 2, 3],
    ],
  ],
  [
    'first in, first out',
    queueModel,
    true,
    [
      ['push', 'a', undefined, 0, 1],
      ['push', 'b', undefined, 2, 3],
      ['take', '', 'a', 4, 6],
      ['take', '', 'b', 5, 7],
      ['take', '', '', 8, 9],
    ],
  ],
  [
    'one is taken twice',
    queueModel,
    false,
    [
      ['push', 'a', undefined, 0, 1],
      ['take', '', 'a', 2, 3],
      ['take', '', 'a', 4, 5],
    ],
  ],
  [
    'the second comes first',
    queueModel,
    false,
    [
      ['push', 'a', undefined, 0, 1],
      ['push', 'b', undefined, 2, 3],
      ['take', '', 'b', 4, 5],
    ],
  ],
  [
    'one is lost',
    queueModel,
    false,
    [
      ['push', 'a', undefined, 0, 1],
      ['take', '', '', 4, 5],
    ],
  ],
  [
    'one that nobody knows the end of was taken by who is gone',
    queueModel,
    true,
    [
      ['push', 'a', undefined, 0, 1],
      ['take', '', undefined, 2, Infinity],
      ['take', '', '', 4, 5],
    ],
  ],
]

for (const [what, model, isRight, lines] of cases)
  t.test(what, (t) => {
    const history = lines.map(([kind, value, outcome, from, to]) => ({ kind, value, outcome, from, to }))
    t.equal(isLinearizable(history, model), isRight)
    t.equal(isLinearizable(history.toReversed(), model), isRight, 'in whatever order they are told')
    t.end()
  })

t.test('a long history of many is judged in time', (t) => {
  const history: Operation[] = []
  for (let i = 0; i < 120; i++)
    history.push({ kind: 'write', value: `${i}`, outcome: undefined, from: i, to: i % 15 === 0 ? Infinity : i + 3 })
  const began = performance.now()
  t.ok(isLinearizable(history, registerModel))
  history.push({ kind: 'read', value: '', outcome: 'never written', from: 200, to: 201 })
  t.notOk(isLinearizable(history.slice(60), registerModel))
  t.ok(performance.now() - began < 20_000)
  t.end()
})
