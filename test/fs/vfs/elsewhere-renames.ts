/** Two machines rename directories that each saw before the other did: no directory ever comes to lie below itself. */
import t from 'tap'
import { isAteError } from '../../../src/engine/error.js'
import { checkFileSystem } from '../../../src/fs/vfs/check/check.js'
import { RENAME_EXCHANGE, ROOT_INO, type Ino } from '../../../src/fs/vfs/types.js'
import { carry, openCopy, type ChainCopy } from '../../helpers/carried-chains.js'
import { listDirectory, makeDirectory, nameOf, NAME_KEY, USER } from '../../helpers/open-memory-fs.js'
import { seededRandom } from '../../helpers/seeded-random.js'

const SEED = Number(process.env['ATEFS_FUZZ_SEED'] ?? 1)
const ROUNDS = process.env['ATEFS_TEST_LONG'] === undefined ? 150 : 5000
const NAMES = ['a', 'b', 'c', 'd', 'e', 'f']

interface Directory {
  readonly ino: Ino
  readonly path: string
  readonly names: readonly string[]
}

/** What can be reached, each directory once; fails where one is reached twice. */
function directories({ fs }: ChainCopy): Directory[] {
  const found: Directory[] = []
  const seen = new Set<Ino>()
  const visit = (ino: Ino, path: string): void => {
    if (seen.has(ino)) throw new Error(`${path} is reached twice`)
    seen.add(ino)
    const entries = listDirectory(fs, ino)
    found.push({ ino, path, names: entries.map(({ name }) => name) })
    for (const entry of entries) visit(entry.ino, `${path}/${entry.name}`)
  }
  visit(ROOT_INO, '')
  return found
}

await t.test(`renames that two machines think of at the same time make no cycle, seed ${SEED}`, async (t) => {
  const random = seededRandom(SEED)
  const one = <T>(of: readonly T[]): T => {
    const item = of[Math.floor(random() * of.length)]
    if (item === undefined) throw new Error('there is nothing')
    return item
  }
  const a = await openCopy(1)
  for (const name of NAMES) await makeDirectory(a.fs, ROOT_INO, name)
  const b = await openCopy(2, a)
  const count = NAMES.length + 1
  let done = 0
  let refused = 0
  for (let round = 0; round < ROUNDS; round++) {
    const known = directories(a)
    /** Of what both see now, whatever the other one does first. */
    const rename = (): ((copy: ChainCopy) => Promise<void>) => {
      const from = one(known.filter(({ names }) => names.length > 0))
      const [name, to, newName] = [one(from.names), one(known), one(NAMES)]
      const flags = random() < 0.2 ? RENAME_EXCHANGE : 0
      return async ({ fs }) => {
        try {
          await fs.rename(from.ino, nameOf(name), to.ino, nameOf(newName), flags, USER)
          done++
        } catch (error) {
          if (!isAteError(error)) throw error
          refused++
        }
      }
    }
    const [first, second] = [rename(), rename()]
    await first(a)
    await carry(a, b)
    await second(b)
    await carry(b, a)
    // One that is empty may have been replaced by another.
    for (const name of NAMES)
      if (directories(a).length < count) await makeDirectory(a.fs, ROOT_INO, name).catch(() => undefined)
    await carry(a, b)
    const [here, there] = [directories(a), directories(b)]
    if (round % 10 === 0) t.strictSame(there, here, 'both see one tree')
  }
  t.ok(done > ROUNDS / 4 && refused > ROUNDS / 4, `${done} done, ${refused} refused`)
  for (const { chain } of [a, b])
    for await (const finding of checkFileSystem({ view: chain.view, nameKey: NAME_KEY })) t.fail(finding.message)
})
