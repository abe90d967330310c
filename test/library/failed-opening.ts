/** A chain that cannot be opened: what failed is told, and nothing of it stays open. */
import { join } from 'node:path'
import t from 'tap'
import { openChain } from '../../src/adapters/node/open-chain.js'
import { CLOCK_KIND } from '../../src/engine/dio/kinds.js'
import { AteConfig, ChainBuilder } from '../../src/index.js'
import { diskChains } from '../helpers/disk-chains.js'

await t.test('a chain whose clock cannot be read is let go of again', async (t) => {
  const { root, open } = diskChains(t)
  await (await open()).close()
  const ignore = (): void => undefined
  const handle = await openChain({
    directory: join(root, 'logs', 'notes'),
    secret: { kind: 'key-file' },
    anchorDirectory: undefined,
    readOnly: false,
    allowDamage: false,
    acceptRollback: true,
    onProgress: ignore,
    onNotice: ignore,
  })
  handle.view.put(CLOCK_KIND, 0, 0, Uint8Array.of(9))
  await handle.view.commit({ isDurable: true })
  await handle.close()
  for (const time of ['first', 'second']) await t.rejects(open(), { code: 'BAD_FORMAT' }, `${time}: not CHAIN_LOCKED`)
})

await t.test('a plugin that fails to open is told of, also when it fails to close', async (t) => {
  const fail = (when: string) => (): never => {
    throw new Error(when)
  }
  const builder = new ChainBuilder(AteConfig.default()).use({
    name: 'both',
    open: fail('opening'),
    close: fail('closing'),
  })
  await t.rejects(builder.open('notes'), { code: 'HOOK_FAILED', cause: { message: 'opening' } })
})
