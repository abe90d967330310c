/** What fsck says of a chain that was compacted: nothing, unless something that is still referred to was dropped. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { createChain, openChain } from '../../src/adapters/node/open-chain.js'
import { checkChain, type ChainFinding } from '../../src/cli/check-chain.js'
import { openFileSystem } from '../../src/fs/vfs/open.js'
import { ROOT_INO } from '../../src/fs/vfs/types.js'
import { makeFile, nameOf, readAll, USER } from '../helpers/open-memory-fs.js'
import { optionsIn } from '../helpers/record-chain.js'

const HONEST = new URL('../../src/fs/vfs/records/references.js', import.meta.url).href
/** Says that nothing refers to anything. */
const LYING = 'data:text/javascript,export const findReferences = () => true'

async function findingsOf(base: string): Promise<ChainFinding[]> {
  const findings: ChainFinding[] = []
  const steps = checkChain({
    directory: join(base, 'chain'),
    anchorDirectory: join(base, 'anchors'),
    runtimeDirectory: join(base, 'runtime'),
    secret: { kind: 'key-file' },
    onProgress: () => undefined,
    onNotice: () => undefined,
  })
  for await (const finding of steps) findings.push(finding)
  return findings
}

for (const [who, referencesModule] of [
  ['honestly', HONEST],
  ['by somebody who drops what is in use', LYING],
] as const) {
  await t.test(`a chain that was compacted ${who}`, async (t) => {
    const base = mkdtempSync(join(tmpdir(), 'atefs-drops-'))
    t.teardown(() => rmSync(base, { recursive: true }))
    const options = optionsIn(base, [])
    const onWarning = (): void => undefined
    const first = await createChain({ ...options, keyBits: 256 })
    const fs = await openFileSystem({ view: first.view, options: { nameKey: first.keys.nameKey, onWarning } })
    const kept = await makeFile(fs, ROOT_INO, 'kept', 'content that stays'.repeat(2000))
    await fs.sync()
    await makeFile(fs, ROOT_INO, 'gone', 'content that goes'.repeat(2000))
    await fs.sync()
    await fs.unlink(ROOT_INO, nameOf('gone'), USER)
    await fs.close()
    await first.close()
    await t.rejects(
      openChain(options).then((chain) => chain.compact().finally(() => chain.close())),
      {
        code: 'NOT_SUPPORTED',
      },
    )

    const second = await openChain({ ...options, referencesModule })
    const { bodies, freedBytes } = await second.compact()
    t.equal(bodies, referencesModule === HONEST ? 1 : 2)
    t.ok(freedBytes > 30_000)
    await second.close()
    const findings = await findingsOf(base)
    const third = await openChain(options)
    const again = await openFileSystem({ view: third.view, options: { nameKey: third.keys.nameKey, onWarning } })
    if (referencesModule === HONEST) {
      t.same(findings, [])
      t.equal((await readAll(again, kept)).toString(), 'content that stays'.repeat(2000))
    } else {
      t.match(findings, [{ kind: 'body', inode: kept, path: '/kept' }])
      t.equal(findings.length, 1)
      t.throws(() => again.read(kept, 0, 10, new Uint8Array(10), 0), { code: 'BODY_DAMAGED' }, 'it is never served')
    }
    await again.close()
    await third.close()
  })
}
