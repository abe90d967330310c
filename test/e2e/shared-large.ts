/** A temporary mount of a chain with much content: opened with little of it, in little memory, and what is read of it is right. */
import { mkdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { shell } from '../helpers/cli.js'
import { seededRandom } from '../helpers/seeded-random.js'
import { servedMounts } from '../helpers/served-mounts.js'

const SEED = Number(process.env['ATEFS_FUZZ_SEED'] ?? 1)
const MIB = 1024 * 1024
/** `ATEFS_TEST_LONG=1`: 1 GiB. */
const CONTENT_MIB = process.env['ATEFS_TEST_LONG'] === undefined ? 32 : 1024
const FILE_MIB = 32
const READS = 40
/** What says where content is: the head, the records and the digests of some 64 KiB of it. */
const OPENING_BYTES_PER_MIB = 3000
const MOST_MEMORY_MIB = 300

function peakMib(pid: unknown): number {
  return Number(/VmHWM:\s*(\d+)/.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1]) / 1024
}

await t.test(`a chain with ${CONTENT_MIB} MiB of content is mounted and read at random, seed ${SEED}`, async (t) => {
  const mounts = await servedMounts(t, ['a', 'b'])
  const random = seededRandom(SEED)
  const a = await mounts.mount('a', '--compact-mode', 'never')
  const files = CONTENT_MIB / FILE_MIB
  for (let i = 0; i < files; i++) await shell(`head -c ${FILE_MIB}M /dev/urandom > ${a}/f${i}; sync ${a}/f${i}`)
  const way = mounts.way('b')
  mkdirSync(mounts.world.path('logs-b'))
  const b = await mounts.mount('b', '--temp')
  const opened = way.passed.server
  t.ok(opened < 64 * 1024 + CONTENT_MIB * OPENING_BYTES_PER_MIB, `${opened} bytes to open it`)
  const { pid } = (await mounts.world.run(['status', b, '--json'])).json()
  t.comment(`${peakMib(pid)} MiB of memory then`)
  let asked = 0
  for (let i = 0; i < READS; i++) {
    const length = Math.ceil(random() * 200_000)
    const offset = Math.floor(random() * (FILE_MIB * MIB - length))
    const file = `f${Math.floor(random() * files)}`
    asked += length
    await shell(`cmp -n ${length} -i ${offset} ${a}/${file} ${b}/${file}`)
  }
  const read = way.passed.server - opened
  // The kernel reads ahead, and a body is 64 KiB.
  t.ok(read < 4 * asked + READS * 4 * 64 * 1024, `${read} bytes to read ${asked}`)
  await shell(`cmp ${a}/f0 ${b}/f0`)
  t.ok(peakMib(pid) < MOST_MEMORY_MIB, `${peakMib(pid)} MiB of memory at most`)
  const left = await mounts.world.run(['umount', b])
  t.equal(left.code, 0, left.stderr)
  t.strictSame((await shell(`find ${mounts.world.path('logs-b')} -name '*.seg'`)).trim(), '', 'nothing stays')
})
