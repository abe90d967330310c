import t from 'tap'
import { withFilledPages } from '../../../../src/fs/vfs/content/page-fill.js'

const COMMITTED = 10_000

/** Places of the pieces after filling, `[start, end)`; content is committed in [0, end). */
function filled(pieces: [number, number][], readable: (from: number) => boolean = () => true): [number, number][] {
  const given = pieces.map(([start, end]) => ({ start, length: end - start, bytes: new Uint8Array(end - start) }))
  const read = (from: number, to: number): Uint8Array | undefined =>
    readable(from) ? new Uint8Array(to - from) : undefined
  return withFilledPages(given, COMMITTED, read).map(({ start, length }) => [start, start + length])
}

t.test('completes the first and the last page of a piece', async (t) => {
  t.same(filled([[100, 200]]), [[0, 100], [100, 200], [200, 4096]]) // prettier-ignore
  t.same(filled([[5000, 9000]]), [[4096, 5000], [5000, 9000], [9000, COMMITTED]], 'up to what is committed') // prettier-ignore
})

t.test('leaves whole pages and what lies beyond committed content alone', async (t) => {
  t.same(filled([[4096, 8192]]), [[4096, 8192]])
  t.same(filled([[20_000, 20_001]]), [[20_000, 20_001]])
  t.same(filled([[COMMITTED, 11_000]]), [[8192, COMMITTED], [COMMITTED, 11_000]], 'an append takes its page') // prettier-ignore
})

t.test('pieces in one page do not overlap what fills it', async (t) => {
  t.same(filled([[100, 200], [300, 400]]), [[0, 100], [100, 200], [200, 300], [300, 400], [400, 4096]]) // prettier-ignore
  t.same(filled([[100, 200], [200, 400]]), [[0, 100], [100, 200], [200, 400], [400, 4096]]) // prettier-ignore
})

t.test('does without what cannot be read at once', async (t) => {
  t.same(filled([[100, 200], [300, 400]], (from) => from !== 200), [[0, 100], [100, 200], [300, 400], [400, 4096]]) // prettier-ignore
  t.same(filled([[100, 200]], () => false), [[100, 200]]) // prettier-ignore
})
