import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { Invalidations } from '../../../../src/fs/drivers/direct/invalidations.js'
import type { Outcome } from '../../../../src/fs/drivers/direct/notifier.js'
import { attributesChanged, entryChanged } from '../../../../src/fs/drivers/direct/notify.js'
import type { Name } from '../../../../src/fs/vfs/types.js'

const nothing = { entries: [], directories: [], inodes: [] }

function entry(number: number): { parent: number; name: Name; gone: undefined } {
  return { parent: 1, name: `n${number}` as Name, gone: undefined }
}

async function answered(outcomes: Outcome[], changed: Parameters<Invalidations['add']>[0]): Promise<number> {
  let sent = 0
  const invalidations = new Invalidations(() => Promise.resolve(outcomes[sent++] ?? 'taken'))
  invalidations.add(changed)
  await sleep(400)
  return sent
}

t.test('an inode that the kernel does not know yet is told of again, a name is not', async (t) => {
  const inode = { ...nothing, inodes: [{ ino: 5, content: undefined }] }
  const name = { ...nothing, entries: [entry(1)] }
  const counts = await Promise.all([
    answered(['taken'], inode),
    answered(['unknown', 'unknown', 'taken'], inode),
    answered(['unknown'], name),
    answered(['failed', 'taken'], name),
  ])
  t.same(counts, [1, 3, 1, 2])
})

t.test('many names do not hold up what is told of inodes', async (t) => {
  const sent: string[] = []
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
  let answer: () => void = () => undefined
  const invalidations = new Invalidations((bytes) => {
    sent.push(hex(bytes))
    return new Promise((resolve) => {
      const before = answer
      answer = () => {
        before()
        resolve('taken')
      }
    })
  })
  invalidations.add({
    ...nothing,
    entries: Array.from({ length: 2000 }, (_, i) => entry(i)),
    inodes: [{ ino: 5, content: undefined }],
  })
  t.equal(sent[0], hex(entryChanged(1, 'n0' as Name)), 'names first')
  t.ok(sent.length <= 256 && sent.includes(hex(attributesChanged(5))), 'in the first round')
  while (sent.length < 2001) {
    answer()
    await sleep(1)
  }
  t.equal(new Set(sent).size, 2001)
})
