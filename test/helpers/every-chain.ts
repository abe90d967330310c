/** What holds for chains of objects is shown for those in memory and for those on the disk, by the same tests. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { nativeCrypto as crypto } from '../../src/adapters/node/native-crypto.js'
import { createChain } from '../../src/adapters/node/open-chain.js'
import { Chain } from '../../src/engine/dio/chain.js'
import { memoryChain } from './objects.js'

type Open = () => Promise<Chain>

/** A test in both places; `open` makes a chain that holds nothing. */
export async function onEveryChain(name: string, test: (t: Test, open: Open) => Promise<unknown>): Promise<void> {
  await t.test(`${name} (in memory)`, (t) => test(t, memoryChain))
  await t.test(`${name} (on disk)`, async (t) => {
    const root = mkdtempSync(join(tmpdir(), 'atefs-chain-'))
    t.teardown(() => rmSync(root, { recursive: true }))
    let chains = 0
    await test(t, () => diskChain(join(root, `${++chains}`)))
  })
}

/** As a program has it, without a memory of it outside of its directory. */
async function diskChain(directory: string): Promise<Chain> {
  const opened = await createChain({
    directory,
    secret: { kind: 'key-file' },
    keyBits: 256,
    anchorDirectory: undefined,
    readOnly: false,
    allowDamage: false,
    acceptRollback: false,
    onProgress: () => undefined,
    onNotice: () => undefined,
  })
  const { view } = opened
  return new Chain({ name: 'test', view, crypto, nowMs: Date.now, durability: 'local', onClose: () => opened.close() })
}
