/** A mount that is killed while it merges what it changed without its server: both versions are there once, whenever that was. */
import t from 'tap'
import { shell } from '../helpers/cli.js'
import { servedMounts } from '../helpers/served-mounts.js'
import { seededRandom } from '../helpers/seeded-random.js'

const SEED = Number(process.env['ATEFS_FUZZ_SEED'] ?? 1)
const ROUNDS = process.env['ATEFS_TEST_LONG'] === undefined ? 1 : 20
const FILES = 60
const MAX_MERGE_MS = 1500
const TREE = `find . -printf '%P %y %i %n %s %m %T@\\n' | sort; find . -type f -print0 | sort -z | xargs -0 sha256sum`

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

await t.test(`what both changed is there once, though the merge is killed, seed ${SEED}`, async (t) => {
  const { world, mount, way } = await servedMounts(t, ['a', 'b'])
  const random = seededRandom(SEED)
  const a = await mount('a')
  const b = await mount('b', '--recovery-mode', 'async')
  const write = (text: string, round: number): string =>
    `for i in $(seq -w ${FILES}); do echo ${text} $i > f${round}-$i.txt; done`
  const soon = (condition: string): Promise<string> =>
    shell(`for i in $(seq 200); do if ${condition}; then exit 0; fi; sleep 0.1; done; exit 1`)
  for (let round = 0; round < ROUNDS; round++) {
    await shell(`cd ${a}; ${write('before', round)}`)
    await soon(`[ -s ${b}/f${round}-${FILES}.txt ]`)
    const { pid } = (await world.run(['status', b, '--json'])).json()
    way('b').part()
    await shell(`cd ${b}; ${write('offline', round)}; sync .; cd ${a}; ${write('online', round)}; sync .`)
    way('b').heal()
    const afterMs = Math.round(random() * MAX_MERGE_MS)
    await pause(afterMs)
    process.kill(Number(pid), 'SIGKILL')
    await mount('b', '--recovery-mode', 'async')
    const conflicts = `$(find ${b} -name 'f${round}-*conflict*' | wc -l)`
    await soon(`[ "${conflicts}" = ${FILES} ]`).catch(() => undefined)
    // Another would come now.
    await shell(`sync ${b}`)
    const expected = [...Array(FILES).keys()].map((i) => String(i + 1).padStart(String(FILES).length, '0'))
    const content = async (names: string): Promise<string[]> =>
      (await shell(`cd ${b}; find . -name '${names}' -print0 | xargs -0 -r cat | sort`)).trim().split('\n')
    const online = expected.map((i) => `online ${i}`)
    const offline = expected.map((i) => `offline ${i}`)
    t.strictSame(await content(`f${round}-*`), [...offline, ...online], `killed after ${afterMs} ms: both, each once`)
    t.strictSame(await content(`f${round}-*conflict*`), offline, 'and the others have the names')
  }
  const tree = (machine: string): Promise<string> => shell(`cd ${machine}; ${TREE}`)
  const wanted = await tree(b)
  for (let i = 0; i < 100 && (await tree(a)) !== wanted; i++) await pause(100)
  t.equal(await tree(a), wanted, 'one tree')
})
