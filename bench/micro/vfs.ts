/**
 * Cost of the file system's own work per operation, without kernel and disk: on a view that does nothing, or with
 * `chain` as second argument on a real chain in memory. Run from a build: vfs.js [FILES] [chain].
 */
import { nativeCrypto } from '../../src/adapters/node/native-crypto.js'
import { openMemoryChain } from '../../src/engine/chain/memory-chain.js'
import { openFileSystem } from '../../src/fs/vfs/open.js'
import { PlainView } from './plain-view.js'
import { type Ino, type Name, ROOT_INO } from '../../src/fs/vfs/types.js'

const FILES = Number(process.argv[2] ?? 20_000)
const PER_DIRECTORY = 100
const caller = { uid: 1000, gid: 1000, pid: 1 }
const node = { mode: 0o100644, rdev: 0, umask: 0o022 }
const noPrivileges = { clearPrivileges: false }
const page = new Uint8Array(4096).fill(1)

const chain = process.argv[3] === 'chain' ? await openMemoryChain({ crypto: nativeCrypto }) : undefined
const timer = { start: () => undefined, stop: () => undefined }
const fs = await openFileSystem({
  view: chain?.view ?? new PlainView(),
  options: { nameKey: new Uint8Array(16), onWarning: console.error, timer },
})

/** Processor time, because other work on the machine must not show: all threads of this process. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** Runs `operation` for every file; commits are made but not counted. */
async function row(name: string, operation: (i: number) => unknown): Promise<void> {
  let totalMs = 0
  for (let from = 0; from < FILES; from += 2000) {
    const to = Math.min(FILES, from + 2000)
    const startMs = cpuMs()
    for (let i = from; i < to; i++) {
      const answer = operation(i)
      if (answer instanceof Promise) await answer
    }
    totalMs += cpuMs() - startMs
    const commitMs = cpuMs()
    const durable = fs.sync()
    commitCostMs += cpuMs() - commitMs
    await durable
  }
  console.log(
    `${name.padEnd(28)} ${((totalMs * 1000) / FILES).toFixed(2)} us   commit ${((commitCostMs * 1000) / FILES).toFixed(2)} us`,
  )
  commitCostMs = 0
}

let commitCostMs = 0
const directories: Ino[] = []
const files: Ino[] = []
const nameOf = (i: number): Name => `file-${i}.txt` as Name
const directoryOf = (i: number): Ino => directories[Math.floor(i / PER_DIRECTORY)] ?? ROOT_INO

await row('mkdir (1 in 100)', async (i) => {
  if (i % PER_DIRECTORY !== 0) return
  const attributes = await fs.makeDirectory(ROOT_INO, `dir-${i}` as Name, 0o755, 0o022, caller)
  directories.push(attributes.ino)
})
await row('lookup of nothing', (i) => fs.lookup(directoryOf(i), nameOf(i)))
await row('lookup + makeNode', (i) => {
  fs.lookup(directoryOf(i), nameOf(i))
  const attributes = fs.makeNode(directoryOf(i), nameOf(i), node, caller)
  if (attributes instanceof Promise) throw new Error('had to wait')
  fs.retain(attributes.ino)
  files.push(attributes.ino)
})
await row('write 4 KiB', (i) => fs.write(files[i] ?? 0, 0, page, noPrivileges))
await row('append 4 KiB', (i) => fs.write(files[i] ?? 0, 4096, page, noPrivileges))
await row('getAttributes', (i) => fs.getAttributes(files[i] ?? 0))
await row('setAttributes (times)', (i) =>
  fs.setAttributes(files[i] ?? 0, { mtime: { sec: i, nsec: 1 }, atime: 'now' }, caller),
)
await row('lookup', (i) => fs.lookup(directoryOf(i), nameOf(i)))
await row('security.capability', (i) => fs.getExtendedAttribute(files[i] ?? 0, 'security.capability'))
await row('read 4 KiB', (i) => fs.read(files[i] ?? 0, 0, 4096, page, 0))
await row('rename', (i) => fs.rename(directoryOf(i), nameOf(i), directoryOf(i), `moved-${i}` as Name, 0, caller))
let listed = 0
await row('readDirectory (per entry)', (i) => {
  if (i % PER_DIRECTORY !== 0) return
  for (let cookie = 0, last = -1; cookie !== last;) {
    last = cookie
    let room = 25
    fs.readDirectory(directoryOf(i), cookie, (_name, _ino, _type, next) => {
      if (room-- === 0) return false
      cookie = next
      listed++
      return true
    })
  }
})
await row('unlink + forget', (i) => {
  void fs.unlink(directoryOf(i), `moved-${i}` as Name, caller)
  fs.release(files[i] ?? 0, 1)
})
await row('mkdir', (i) => fs.makeDirectory(directoryOf(i), nameOf(i), 0o755, 0o022, caller))
await row('rmdir', (i) => fs.removeDirectory(directoryOf(i), nameOf(i), caller))
console.log(`${listed} entries listed`)
await fs.close()
await chain?.close()
