import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { FileStorage } from '../../../src/adapters/node/file-storage.js'
import { GroupReader } from '../../../src/engine/log/index.js'
import { GROUP_CONTENT, type AppendedBatch } from '../../../src/engine/log/types.js'
import { contentOf, create, crypto, draft, keys, open } from '../../helpers/log-workbench.js'
import { seededRandom } from '../../helpers/seeded-random.js'

const SIZE = 6_000_001

function newStorage(t: Test): FileStorage {
  const path = mkdtempSync(join(tmpdir(), 'atefs-reader-'))
  t.teardown(() => rmSync(path, { recursive: true }))
  return new FileStorage(path)
}

async function fileOf(storage: FileStorage, name: string, random: () => number): Promise<Uint8Array> {
  const content = new Uint8Array(SIZE)
  for (let i = 0; i < SIZE; i += 61) content[i] = Math.floor(random() * 256)
  const segment = await storage.openSegment(name, 'create')
  await segment.write(0, [content])
  await segment.sync()
  await segment.close()
  return content
}

await t.test(
  'runs of reads with gaps, leaps and runs of other files between them give what the files hold',
  async (t) => {
    const storage = newStorage(t)
    const random = seededRandom(11)
    const names = ['0000000001.seg', '0000000002.seg']
    const files = []
    for (const name of names) {
      files.push({ content: await fileOf(storage, name, random), reader: storage.openReader(name), at: 0 })
    }
    const target = Buffer.alloc(200_000)
    for (let turn = 0; turn < 2000; turn++) {
      const file = files[random() < 0.6 ? 0 : 1]
      if (file === undefined) break
      if (random() < 0.03 || file.at >= SIZE) file.at = Math.floor(random() * SIZE)
      else if (random() < 0.2) file.at += Math.floor(random() * 5000)
      const wanted = 1 + Math.floor(random() * (turn % 5 === 0 ? 190_000 : 66_000))
      const length = file.reader.readSync(file.at, target, 7, wanted)
      const expected = Buffer.from(file.content).subarray(file.at, file.at + wanted)
      if (!target.subarray(7, 7 + length).equals(expected)) {
        t.fail(`turn ${turn}: ${length} bytes at ${file.at} are wrong`)
        break
      }
      file.at += length
    }
    for (const { reader } of files) reader.close()
  },
)

await t.test('groups appended behind what was read ahead are found when a run comes to them', async (t) => {
  const storage = newStorage(t)
  await create(storage)
  const { log } = await open({ storage })
  const reader = new GroupReader({ storage, crypto, keys })
  const isRight = ({ groups }: AppendedBatch): boolean =>
    groups.every((place) => {
      if (place.kind !== GROUP_CONTENT) return true
      const opened = reader.open(place)
      return Buffer.from(contentOf(Math.floor(place.number / 1000), place.number % 1000, 60_000)).equals(opened)
    })
  for (let number = 1; number <= 40; number++) {
    const appended = await log.append([draft(number, 120_000, 60_000)])
    t.ok(appended.every(isRight), `batch ${number}, read at once`)
  }
  reader.close()
  await log.close()
})
