/** `anchorPath`: where the last points of a program's chains are remembered. */
import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { AteConfig, ChainBuilder, dataType, plain } from '../../src/index.js'

const Note = dataType('Note', plain<{ text: string }>())

await t.test('an older copy of a chain is refused by what lies in `anchorPath`, and only by that', async (t) => {
  const root = t.testdir()
  const [logPath, anchorPath] = [join(root, 'chains'), join(root, 'state', 'anchors')]
  const builder = new ChainBuilder(AteConfig.default().with({ logPath, anchorPath }))
  const write = async (text: string): Promise<void> => {
    await using chain = await builder.open('notes')
    await chain.transact((dio) => dio.store({ text }, { type: Note }))
  }
  await write('first')
  t.equal(readdirSync(anchorPath).length, 1)
  cpSync(join(logPath, 'notes'), join(root, 'copy'), { recursive: true })
  await write('second')
  rmSync(join(logPath, 'notes'), { recursive: true })
  cpSync(join(root, 'copy'), join(logPath, 'notes'), { recursive: true })
  await t.rejects(builder.open('notes'), { code: 'CHAIN_ROLLED_BACK' })
  const elsewhere = AteConfig.default().with({ logPath, anchorPath: join(root, 'elsewhere') })
  await (await new ChainBuilder(elsewhere).open('notes')).close()
  t.ok(existsSync(join(root, 'elsewhere')))
})
