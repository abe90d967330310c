/**
 * The file-system contract: subjects of tests that hold for every POSIX file system here, written once against
 * PosixClient and run on a plain directory (the oracle), on the vfs in memory and on mounts.
 * A system may lack a capability, with a written reason; nothing else is ever skipped.
 */
import { type Test } from 'tap'
import type { PosixClient } from '../../helpers/posix/client.js'
import { errnoOf } from '../../helpers/posix/files.js'

/** What some systems under test cannot do. */
export type Capability =
  | 'other users' // acting as other users: needs root
  | 'permission checks' // the kernel's, in front of the file system
  | 'owner of a new file'
  | 'setting times'
  | 'access times' // the disk may be mounted noatime
  | 'nanoseconds'
  | 'names that are not UTF-8'
  | 'rename flags'
  | 'whiteouts'
  | 'allocation'
  | 'refusing to collapse' // the oracle can
  | 'zeroing ranges'
  | 'holes'
  | 'copying ranges'
  | 'temporary files'
  | 'directory cookies'
  | 'directory link counts'
  | 'trusted attributes'
  | 'attributes of 64 KiB'
  | 'attributes of symlinks'
  | 'access control lists'
  | 'clearing setuid on write'
  | 'device nodes'
  | 'kernel' // what FIFOs and sockets do when opened
  | 'removed directories that are open'
  | 'big offsets'

export type Lacks = Partial<Record<Capability, string>>

export interface SystemUnderTest {
  name: string
  /** Rooted at an empty directory of its own, mode 0755 or wider, owned by the process. */
  client: PosixClient
  lacks: Lacks
}

export type ContractBody = (t: Test, c: PosixClient) => Promise<void>

export interface ContractTest {
  name: string
  needs: readonly Capability[]
  body: ContractBody
}

export interface Subject {
  name: string
  tests: readonly ContractTest[]
}

/** Adds one test: a sentence about behaviour, what it needs of the system, and its body. */
export type Define = (name: string, needsOrBody: readonly Capability[] | ContractBody, body?: ContractBody) => void

export function subject(name: string, define: (it: Define) => void): Subject {
  const tests: ContractTest[] = []
  define((sentence, needsOrBody, body) => {
    if (typeof needsOrBody === 'function') tests.push({ name: sentence, needs: [], body: needsOrBody })
    else if (body !== undefined) tests.push({ name: sentence, needs: needsOrBody, body })
  })
  return { name, tests }
}

/** Runs the subjects, each test in a directory of its own. */
export async function runContract(t: Test, system: SystemUnderTest, subjects: readonly Subject[]): Promise<void> {
  let count = 0
  for (const { name, tests } of subjects) {
    await t.test(`${system.name}: ${name}`, async (t) => {
      for (const test of tests) {
        const lacking = test.needs.find((capability) => system.lacks[capability] !== undefined)
        const skip = lacking === undefined ? false : `${lacking}: ${system.lacks[lacking]}`
        await t.test(test.name, { skip }, async (t) => {
          const directory = `t${++count}`
          await system.client.mkdir(directory, 0o755)
          await test.body(t, system.client.in(directory))
        })
      }
    })
  }
}

/** The call fails with this errno. */
export async function fails(t: Test, code: string, call: () => unknown, message?: string): Promise<void> {
  t.equal((await errnoOf(call)) ?? 'success', code, message ?? `fails with ${code}`)
}

/** Waits until the coarse clock of file times has surely moved on: what happens next is later in every time field. */
export async function laterClock(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 12))
}
