import t from 'tap'
import { distinctWarnings } from '../../../src/fs/vfs/distinct-warnings.js'

t.test('passes on each warning once, and an end to them', async (t) => {
  const seen: string[] = []
  const warn = distinctWarnings((message) => seen.push(message))
  for (let round = 0; round < 3; round++) for (let i = 0; i < 5000; i++) warn(`warning ${i}`)
  t.equal(seen.length, 1001)
  t.equal(seen[999], 'warning 999')
  t.match(seen[1000], /more warnings/)
})
