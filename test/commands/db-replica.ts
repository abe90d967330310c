/** Commands that would change the copy of a chain that a server keeps. */
import { writeFileSync } from 'node:fs'
import t from 'tap'
import { AteConfig, ChainBuilder, importRange } from '../../src/index.js'
import { cliWorld } from '../helpers/cli.js'

t.test('the copy of a chain that a server keeps is not compacted, emptied or replaced', async (t) => {
  const world = cliWorld(t)
  const logs = world.path('chains')
  const config = AteConfig.default().with({ logPath: logs, anchorPath: world.path('state/atefs/anchors') })
  const chain = await new ChainBuilder(config).open('notes')
  await chain.backup(world.path('backup'), { withKey: true })
  await chain.close()
  writeFileSync(`${logs}/notes/remote`, '')
  for (const args of [
    ['compact', 'notes'],
    ['truncate', 'notes', '--yes'],
    ['restore', world.path('backup'), 'notes', '--force'],
  ]) {
    const refused = await world.run(['db', ...args, '--log-path', logs])
    t.equal(refused.code, 1)
    t.match(refused.stderr, /the copy of a chain that a server keeps[^]*--remote/, args.join(' '))
  }
  await t.rejects(new ChainBuilder(config).open('notes'), { code: 'NOT_SUPPORTED' })
  await t.rejects(importRange(config, 'notes', []), { code: 'NOT_SUPPORTED' })
  await using read = await new ChainBuilder(config.with({ readOnly: true })).open('notes')
  t.ok(read)
})
