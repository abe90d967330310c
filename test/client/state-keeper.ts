/** What a client knows of its server is written down when that becomes possible, and fails nothing before. */
import t from 'tap'
import { decodeClientState } from '../../src/client/client-state.js'
import { StateKeeper } from '../../src/client/state-keeper.js'
import { AteError } from '../../src/engine/error.js'
import { ManualTimers } from '../helpers/wire.js'

t.test('a file that cannot be written is told once, and written later', async (t) => {
  const timers = new ManualTimers()
  const notices: string[] = []
  const medium = { isFull: true, terms: [0] }
  const state = {
    read: () => Promise.resolve(undefined),
    write: (bytes: Uint8Array) => {
      if (medium.isFull) return Promise.reject(new AteError('NO_SPACE', 'It is full.'))
      medium.terms.push(decodeClientState(bytes).term)
      return Promise.resolve()
    },
  }
  const server = { sequence: 0, digest: new Uint8Array(32) }
  const known = { url: 'ws://a/b', session: new Uint8Array(16), term: 0, server, head: null, signer: null, freed: 0 }
  const keeper = new StateKeeper({ state, known, timers, onNotice: (message) => notices.push(message) })
  keeper.noteTerm(3)
  await timers.pass(10_000)
  t.equal(notices.length, 1)
  t.match(notices[0], /It is full/)
  medium.isFull = false
  await timers.pass(3000)
  t.strictSame(medium.terms, [0, 3])
  await keeper.close()
})
