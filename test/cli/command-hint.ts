import t from 'tap'
import { commandHint } from '../../src/cli/command-hint.js'
import { AteError } from '../../src/engine/error.js'

t.test('what the library says of an error is followed by the command or flag that helps', (t) => {
  const rolledBack = new AteError('CHAIN_ROLLED_BACK', 'too short', { hint: 'It has to be accepted.' })
  t.equal(commandHint(rolledBack), 'It has to be accepted. To accept it: --accept-rollback.')
  t.match(commandHint(new AteError('CHAIN_DAMAGED', 'broken')), /^Run atefs fsck .* --allow-damage /)
  t.equal(commandHint(new AteError('NO_SPACE', 'full', { hint: 'Delete something.' })), 'Delete something.')
  t.equal(commandHint(new AteError('NO_SPACE', 'full')), undefined)
  t.end()
})
