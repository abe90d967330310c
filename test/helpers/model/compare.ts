/** Runs one sequence of operations on both sides and says where they first differ. */
import { isDeepStrictEqual } from 'node:util'
import type { PosixClient } from '../posix/client.js'
import type { Reopening } from '../posix/memory-vault.js'
import { errnoOf } from '../posix/files.js'
import { howOf, perform, type Operation, type Side } from './operations.js'
import { takeSnapshot } from './snapshot.js'

/** A file system under test; each sequence has a directory of its own in it. */
export interface ModelSubject {
  client(): PosixClient
  /** Before each sequence. */
  begin(): Promise<void>
  /** Makes everything durable, closes or drops it, and opens it again. Nothing is open. */
  reopen(how: Reopening): Promise<void>
}

/** Undefined when they agree to the end, also after a reopen; else one line. */
export async function firstDifference(
  oracle: PosixClient,
  subject: ModelSubject,
  directory: string,
  operations: readonly Operation[],
): Promise<string | undefined> {
  await subject.begin()
  await oracle.mkdir(directory)
  await subject.client().mkdir(directory)
  const left: Side = { client: oracle.in(directory), isOracle: true, open: new Map() }
  const right: Side = { client: subject.client().in(directory), isOracle: false, open: new Map() }
  const reopen = async (how: Reopening): Promise<void> => {
    await Promise.all([left, right].map(closeAll))
    await subject.reopen(how)
    right.client = subject.client().in(directory)
  }
  try {
    for (const [index, operation] of operations.entries()) {
      const where = `operation ${index}, ${JSON.stringify(operation)}`
      if (operation.call !== 'reopen') {
        const expected = await outcome(left, operation)
        const actual = await outcome(right, operation)
        if (!isDeepStrictEqual(actual, expected)) return `${where}: ${show(actual)} instead of ${show(expected)}`
        continue
      }
      await reopen(howOf(operation))
      const difference = await treeDifference(left, right)
      if (difference !== undefined) return `${where}: ${difference}`
    }
    const before = await treeDifference(left, right)
    if (before !== undefined) return `at the end: ${before}`
    await reopen('crash')
    const after = await treeDifference(left, right)
    return after === undefined ? undefined : `at the end, after a reopen: ${after}`
  } finally {
    await Promise.all([left, right].map(closeAll))
  }
}

const show = (value: unknown): string => JSON.stringify(value).slice(0, 400)

/** A result, or the errno. */
async function outcome(side: Side, operation: Operation): Promise<unknown> {
  let result: unknown
  const errno = await errnoOf(async () => {
    result = await perform(side, operation)
  })
  return errno ?? result ?? 'done'
}

async function closeAll(side: Side): Promise<void> {
  for (const fd of side.open.values()) await side.client.close(fd)
  side.open.clear()
}

async function treeDifference(left: Side, right: Side): Promise<string | undefined> {
  const expected = await takeSnapshot(left.client)
  const actual = await takeSnapshot(right.client)
  for (const path of new Set([...expected.keys(), ...actual.keys()])) {
    const [here, there] = [actual.get(path), expected.get(path)]
    if (!isDeepStrictEqual(here, there))
      return `${path} is ${show(here ?? 'absent')} instead of ${show(there ?? 'absent')}`
  }
  return undefined
}
