/** What holds for chains of objects is shown for those in memory and for those on the disk, by the same tests. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Chain } from '../../src/engine/dio/chain.js'
import { ChainBuilder } from '../../src/library/chain-builder.js'
import { AteConfig } from '../../src/library/config.js'

type Open = () => Promise<Chain>

/** A test in both places; `open` makes a chain that holds nothing. */
export async function onEveryChain(name: string, test: (t: Test, open: Open) => Promise<unknown>): Promise<void> {
  await t.test(`${name} (in memory)`, (t) => test(t, () => new ChainBuilder(AteConfig.default()).open('test')))
  await t.test(`${name} (on disk)`, async (t) => {
    const root = mkdtempSync(join(tmpdir(), 'atefs-chain-'))
    t.teardown(() => rmSync(root, { recursive: true }))
    process.env['XDG_STATE_HOME'] = join(root, 'state')
    const builder = new ChainBuilder(AteConfig.default().with({ logPath: join(root, 'chains') }))
    let chains = 0
    await test(t, () => builder.open(`test ${++chains}`))
  })
}
