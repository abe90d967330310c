import t from 'tap'
import { isMemoryAmple } from '../../src/atedb/ample-memory.js'

const GIB = 1024 ** 3

t.test('memory is spent where there is four times what a server may hold, twice', async (t) => {
  t.ok(isMemoryAmple(8 * GIB, 0))
  t.ok(isMemoryAmple(64 * GIB, 2 ** 64), 'the system says that it sets no limit')
  t.notOk(isMemoryAmple(4 * GIB, 0))
  t.notOk(isMemoryAmple(64 * GIB, 2 * GIB), 'in a container')
})
