/** A server whose disk fills up: clients are told, what was accepted stays, and it goes on as soon as there is room. Needs root. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import t, { type Test } from 'tap'
import { ServerStores } from '../../src/adapters/node/server-stores.js'
import { dataType, errorCode, plain } from '../../src/index.js'
import { NEEDS_ROOT } from '../helpers/namespace.js'
import { TestServer } from '../helpers/real-server.js'
import { eventually, machine } from '../helpers/remote-chains.js'
import { smallDisk, type DiskKind } from '../helpers/small-disk.js'
import { isRoot, testingUser } from '../helpers/user.js'

const Page = dataType('FullDiskPage', plain<{ text: string }>())
const skip = isRoot ? false : NEEDS_ROOT
const PAGE_BYTES = 256 * 1024
const MEBIBYTES = 24

/** Whatever is free on the disk of `directory`. */
function fill(directory: string): string {
  const filler = join(directory, 'filler')
  spawnSync('sh', ['-c', 'dd if=/dev/zero bs=64K of="$1"; dd if=/dev/zero bs=1K >> "$1"', 'sh', filler])
  return filler
}

async function disk(t: Test, kind: DiskKind): Promise<void> {
  const directory = smallDisk(t, kind, MEBIBYTES, testingUser)
  if (directory === undefined) return
  const server = new TestServer({}, 'centralized', new ServerStores(join(directory, 'logs')))
  const one = await machine(server)
  const other = await machine(server, { keys: one.keys })
  t.teardown(async () => {
    for (const each of [one, other]) await each.close()
    await server.close()
  })
  const accepted: string[] = []
  const write = async (by = one): Promise<void> => {
    const text = `${accepted.length}`.padEnd(PAGE_BYTES, 'x')
    await by.chain.transact((dio) => dio.store({ text }, { type: Page }), { durability: 'server' })
    accepted.push(text)
  }
  const pages = async (by = one): Promise<string[]> => {
    const found: string[] = []
    for await (const { text } of by.chain.dio().roots(Page)) found.push(text)
    return found.sort()
  }
  await write()
  await write(other)
  t.equal(server.storageProblem, undefined)
  const filler = fill(directory)
  let told: unknown
  for (let i = 0; told === undefined && i < (2 * MEBIBYTES * 1024 * 1024) / PAGE_BYTES; i++)
    await write().catch((error: unknown) => (told = error))
  t.match(String(errorCode(told)), /^(NO_SPACE|TIMED_OUT)$/, 'the writer is told')
  t.match(await write(other).catch(errorCode), /^(NO_SPACE|TIMED_OUT)$/, 'so is the next')
  t.equal(server.storageProblem, 'The disk of the chains is full.')
  t.ok((await pages(other)).length >= accepted.length, 'what was accepted can be read')

  rmSync(filler)
  await eventually(() => one.remote.status().serverSequence === one.remote.status().headSequence, 20_000)
  await write(other)
  await write()
  t.equal(server.storageProblem, undefined, 'it says that it works again')
  await eventually(() => one.remote.status().headSequence === other.remote.status().headSequence)
  const there = new Set(await pages(other))
  t.strictSame(
    accepted.filter((text) => !there.has(text)),
    [],
    'nothing that was accepted is lost',
  )
  t.strictSame(await pages(one), [...there].sort(), 'all have the same')
  await server.restart()
  const third = await machine(server, { keys: one.keys })
  t.strictSame(await pages(third), [...there].sort(), 'so has who comes later')
  await third.close()
}

for (const kind of ['tmpfs', 'ext4'] as const)
  t.test(`a ${kind} that fills up`, { skip }, async (t) => await disk(t, kind))
