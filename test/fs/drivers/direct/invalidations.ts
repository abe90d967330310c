import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { Invalidations } from '../../../../src/fs/drivers/direct/invalidations.js'
import type { Outcome } from '../../../../src/fs/drivers/direct/notifier.js'
import { attributesChanged, entryChanged, namesChanged } from '../../../../src/fs/drivers/direct/notify.js'
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

t.test('after a time without the others all names are forgotten at once, where the kernel can', async (t) => {
  for (const hasEpoch of [true, false]) {
    const sent: string[] = []
    const invalidations = new Invalidations((bytes) => {
      sent.push(Buffer.from(bytes).toString('hex'))
      return Promise.resolve('taken')
    })
    invalidations.hasEpoch = hasEpoch
    const entries = Array.from({ length: 1001 }, (_, i) => entry(i))
    invalidations.add({ ...nothing, entries, inodes: [{ ino: 5, content: undefined }] })
    await invalidations.sent()
    t.equal(sent.length, hasEpoch ? 2 : 1002)
    t.equal(sent.includes(Buffer.from(namesChanged()).toString('hex')), hasEpoch)
  }
})

t.test('what the kernel has cached of a file counts again when it has been told of all that changed', async (t) => {
  const answers: ((outcome: Outcome) => void)[] = []
  const invalidations = new Invalidations(() => new Promise((resolve) => answers.push(resolve)))
  const change = { ...nothing, inodes: [{ ino: 5, content: { from: 0, to: 10 } }] }
  invalidations.add(change)
  invalidations.add(change)
  t.ok(invalidations.isPending(5))
  t.notOk(invalidations.isPending(6))
  answers.shift()?.('taken')
  await sleep(1)
  t.ok(invalidations.isPending(5), 'it was changed again')
  let isTold = false
  const told = invalidations.sent()?.then(() => (isTold = true))
  answers.shift()?.('failed')
  await told
  t.ok(isTold)
  t.ok(invalidations.isPending(5), 'it is told again')
  await sleep(40)
  answers.shift()?.('taken')
  await sleep(1)
  t.notOk(invalidations.isPending(5))
  t.equal(invalidations.sent(), undefined)
})

t.test('who waits until the kernel is told waits for nothing that is added later', async (t) => {
  let number = 1
  const invalidations = new Invalidations(async () => {
    await sleep(1)
    // There is always more.
    if (number < 500) invalidations.add({ ...nothing, entries: [entry(number++)], inodes: [] })
    return 'taken'
  })
  invalidations.add({ ...nothing, entries: [entry(0)] })
  invalidations.add({ ...nothing, entries: [entry(1000)], inodes: [{ ino: 5, content: undefined }] })
  await invalidations.sent()
  t.ok(number > 1 && number < 100, `told ${number} more`)
})
