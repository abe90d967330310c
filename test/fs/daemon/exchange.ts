/** The file system of a mount while its copy of the chain is exchanged for another one. */
import t from 'tap'
import { ExchangeableFileSystem } from '../../../src/fs/daemon/exchangeable-file-system.js'
import { ReferenceCounts } from '../../../src/fs/vfs/inodes/reference-counts.js'
import { ROOT_INO } from '../../../src/fs/vfs/types.js'
import { openCopy } from '../../helpers/carried-chains.js'
import { makeFile, nameOf, USER } from '../../helpers/open-memory-fs.js'

const nothing = (): Promise<void> => Promise.resolve()

await t.test('a number that means another inode now is refused wherever it is used', async (t) => {
  const { fs } = await openCopy(1)
  const [known, stale] = [await makeFile(fs, ROOT_INO, 'known', 'a'), await makeFile(fs, ROOT_INO, 'stale', 'b')]
  const references = new ReferenceCounts()
  const exchangeable = new ExchangeableFileSystem(fs, references, nothing)
  exchangeable.retain(stale)
  exchangeable.markStale([stale])
  const uses = [
    () => exchangeable.getAttributes(stale),
    () => exchangeable.link(stale, ROOT_INO, nameOf('x'), USER),
    () => exchangeable.link(known, stale, nameOf('x'), USER),
    () => exchangeable.rename(stale, nameOf('a'), ROOT_INO, nameOf('x'), 0, USER),
    () => exchangeable.rename(ROOT_INO, nameOf('known'), stale, nameOf('x'), 0, USER),
    () => exchangeable.copyRange(stale, 0, known, 0, 1, USER),
    () => exchangeable.copyRange(known, 0, stale, 0, 1, USER),
  ]
  for (const use of uses) t.throws(use, { code: 'STALE' })
  exchangeable.unmarkStale([stale])
  t.equal(await exchangeable.copyRange(stale, 0, known, 0, 1, USER), 1)
})

await t.test('a request waits for the other copy, but not for ever', async (t) => {
  const [{ fs: before }, { fs: after }] = [await openCopy(1), await openCopy(2)]
  const exchangeable = new ExchangeableFileSystem(before, new ReferenceCounts(), nothing, 20)
  await makeFile(after, ROOT_INO, 'f')
  let finish = (): void => undefined
  const exchanged = exchangeable.exchange(() => new Promise((resolve) => (finish = () => resolve(after))))
  await t.rejects(async () => exchangeable.lookup(ROOT_INO, nameOf('f')), { code: 'TIMED_OUT' })
  t.equal(exchangeable.isExchanging, true)
  const waits = exchangeable.lookup(ROOT_INO, nameOf('f'))
  finish()
  t.match(await waits, { nlink: 1 })
  await exchanged
  t.equal(exchangeable.exchanged(), undefined)
})
