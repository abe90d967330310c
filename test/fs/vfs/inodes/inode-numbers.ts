import t from 'tap'
import {
  decodeNumbers,
  encodeNumbers,
  InodeNumbers,
  NUMBERS_PER_SLOT,
} from '../../../../src/fs/vfs/inodes/inode-numbers.js'
import { KIND_STATE, STATE_NUMBERS } from '../../../../src/fs/vfs/records/record-kinds.js'
import { fuzzDecoder } from '../../../helpers/fuzz-decoder.js'
import { MemoryRecordView } from '../../../helpers/memory-record-view.js'

function puts(view: MemoryRecordView): () => number {
  let count = 0
  const put = view.put.bind(view)
  view.put = (...record) => {
    count++
    put(...record)
  }
  return () => count
}

t.test('the state comes back as it was, hostile bytes are refused', async (t) => {
  const state = { reserved: NUMBERS_PER_SLOT, inodes: 123_456 }
  t.same(decodeNumbers(encodeNumbers(state)), state)
  fuzzDecoder(t, [encodeNumbers(state), encodeNumbers({ reserved: 2, inodes: 0 })], decodeNumbers, encodeNumbers)
})

t.test('the record is written once for thousands of numbers', async (t) => {
  const view = new MemoryRecordView()
  const count = puts(view)
  const numbers = new InodeNumbers(view)
  const taken = new Set<number>()
  for (let i = 0; i < 20_000; i++) taken.add(numbers.take())
  t.equal(taken.size, 20_000)
  t.equal(Math.min(...taken), 2, 'the root is 1')
  t.ok(count() <= 11, `${count()} records`)
})

t.test('at any time thousands of numbers are reserved beyond those taken', async (t) => {
  const view = new MemoryRecordView()
  const numbers = new InodeNumbers(view)
  for (let i = 0; i < 10_000; i++) {
    const ino = numbers.take()
    const { reserved } = decodeNumbers(view.get(KIND_STATE, 0, STATE_NUMBERS) ?? new Uint8Array())
    if (reserved < ino + 2000) return t.fail(`${ino} is too near to ${reserved}`)
  }
})

t.test('a commit without new or removed inodes writes nothing', async (t) => {
  const view = new MemoryRecordView()
  const numbers = new InodeNumbers(view)
  numbers.take()
  numbers.inodes++
  numbers.flush()
  const count = puts(view)
  numbers.flush()
  t.equal(count(), 0)
  numbers.inodes--
  numbers.flush()
  t.equal(count(), 1)
})

t.test('the last number of the slot is the last one', async (t) => {
  const view = new MemoryRecordView()
  view.put(KIND_STATE, 0, STATE_NUMBERS, encodeNumbers({ reserved: NUMBERS_PER_SLOT - 1, inodes: 1 }))
  const numbers = new InodeNumbers(view)
  t.throws(() => numbers.take(), { code: 'NO_SPACE' })
})
