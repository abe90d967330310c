/** What was set aside is merged in its order, each of it once. */
import t from 'tap'
import { mergeTails } from '../../../src/fs/daemon/merge-tails.js'
import type { SetAsideTail } from '../../../src/fs/daemon/set-aside-tails.js'
import { partedCopies, tailOf } from '../../helpers/parted-copies.js'

await t.test('behind a merged one that cannot be deleted no other is merged: its mark would be lost', async (t) => {
  const tail = await tailOf(await partedCopies(() => Promise.resolve()))
  const closed: string[] = []
  const tails = ['first', 'second', 'third'].map((name): SetAsideTail => {
    const close = ({ isMerged }: { isMerged: boolean }): Promise<void> => {
      closed.push(`${name} ${isMerged}`)
      return name === 'first' ? Promise.reject(new Error('the directory is read-only')) : Promise.resolve()
    }
    return { tail, close }
  })
  let merges = 0
  const merge = () => {
    merges++
    return Promise.resolve({ conflicts: 0, failures: 0, kept: new Set<number>() })
  }
  const said: string[] = []
  const { signal } = new AbortController()
  const say = (message: string): unknown => said.push(message)
  await mergeTails({ tails, fileSystem: { merge }, signal, say, onMerged: () => undefined }).done
  t.equal(merges, 1)
  t.same(closed, ['first true', 'second false', 'third false'])
  t.match(said[1], /read-only/)
})
