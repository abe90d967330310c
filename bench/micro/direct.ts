/**
 * Cost of one system call through the kernel and the direct driver, on a file system in memory: what is left of it when
 * neither the vfs nor the log cost anything. Both processes on one core (`--unpinned`: anywhere). CPU time of both, so
 * that other work on the machine hardly shows; medians of rounds.
 *
 *     npx esbuild bench/micro/direct.ts --bundle --platform=node --format=esm --packages=external \
 *       --outfile=dist-bench/direct.js && sudo node dist-bench/direct.js [--unpinned]
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { mountDirect } from '../../src/fs/drivers/direct/direct-driver.js'
import { MemoryFileSystem } from '../../test/helpers/memory-file-system.js'

const CORE = '0'
const ROUNDS = 9
const FILES = 1500
const BIG_BYTES = 256 << 20
const page = Buffer.alloc(4096, 1)
const chunk = Buffer.alloc(1 << 20, 1)

const [mode, servedMountpoint] = process.argv.slice(2)
if (mode === 'serve' && servedMountpoint !== undefined) await serve(servedMountpoint)
else await measure(mode !== '--unpinned')

async function serve(mountpoint: string): Promise<void> {
  const names = { mountpoint, fsName: 'bench', subtype: 'atefs' }
  const rights = { readOnly: false, allowOther: false, allowRoot: false, kernelOptions: [], onWarning: console.error }
  const mount = await mountDirect(new MemoryFileSystem(), { ...names, ...rights })
  process.send?.('ready')
  process.once('disconnect', () => void mount.unmount({ lazy: true }))
  await mount.ended
}

/** The server, and this process from now on, on one core or on any. */
async function startServer(mountpoint: string, pinned: boolean): Promise<ChildProcess> {
  const words = [process.execPath, fileURLToPath(import.meta.url), 'serve', mountpoint]
  const [program = '', ...args] = pinned ? ['taskset', '-c', CORE, ...words] : words
  const server = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  await once(server, 'message')
  if (pinned) await once(spawn('taskset', ['-a', '-p', '-c', CORE, String(process.pid)], { stdio: 'ignore' }), 'exit')
  return server
}

/** CPU time of this process and of all threads of the server, in microseconds. */
function cpuMicroseconds(serverPid: number): number {
  const { user, system } = process.cpuUsage()
  let total = user + system
  for (const thread of fs.readdirSync(`/proc/${serverPid}/task`)) {
    const [nanoseconds = '0'] = fs.readFileSync(`/proc/${serverPid}/task/${thread}/schedstat`, 'latin1').split(' ')
    total += Number(nanoseconds) / 1000
  }
  return total
}

async function measure(pinned: boolean): Promise<void> {
  const mountpoint = fs.mkdtempSync(join(tmpdir(), 'atefs-bench-'))
  const server = await startServer(mountpoint, pinned)
  try {
    process.chdir(mountpoint)
    run(server.pid ?? 0)
  } finally {
    process.chdir('/')
    server.disconnect()
    await once(server, 'exit')
    fs.rmdirSync(mountpoint)
  }
}

function run(pid: number): void {
  const rows = new Map<string, { cpu: number[]; wall: number[] }>()
  const row = (name: string, count: number, operation: (i: number) => unknown): void => {
    const [startCpu, start] = [cpuMicroseconds(pid), performance.now()]
    for (let i = 0; i < count; i++) operation(i)
    const samples = rows.get(name) ?? { cpu: [], wall: [] }
    samples.wall.push(((performance.now() - start) * 1000) / count)
    samples.cpu.push((cpuMicroseconds(pid) - startCpu) / count)
    rows.set(name, samples)
  }
  for (let round = 0; round < ROUNDS; round++) {
    small(row, `r${round}`)
    if (round < 3) large(row)
  }
  for (const [name, { cpu, wall }] of rows) {
    console.log(`${name.padEnd(34)} cpu ${median(cpu).toFixed(1).padStart(7)} us   wall ${median(wall).toFixed(1)} us`)
  }
}

type RunRow = (name: string, count: number, operation: (i: number) => unknown) => void

function small(row: RunRow, directory: string): void {
  fs.mkdirSync(directory)
  const file = (i: number): string => `${directory}/f${i}`
  row('create, write 4 KiB, close', FILES, (i) => withFile(file(i), 'w', (fd) => fs.writeSync(fd, page)))
  row('stat, after a write', FILES, (i) => fs.statSync(file(i)))
  row('stat, warm', FILES, (i) => fs.statSync(file(i)))
  row('open, read 4 KiB, close, warm', FILES, (i) => withFile(file(i), 'r', (fd) => fs.readSync(fd, page)))
  row('stat of nothing, first', FILES, (i) => fs.statSync(`${file(i)}.absent`, { throwIfNoEntry: false }))
  row('chmod', FILES, (i) => fs.chmodSync(file(i), 0o600))
  row('rename', FILES, (i) => fs.renameSync(file(i), `${file(i)}r`))
  row('unlink', FILES, (i) => fs.unlinkSync(`${file(i)}r`))
  row('mkdir', FILES, (i) => fs.mkdirSync(file(i)))
  row('rmdir', FILES, (i) => fs.rmdirSync(file(i)))
  fs.rmdirSync(directory)
}

function large(row: RunRow): void {
  const chunks = BIG_BYTES / chunk.length
  withFile('big', 'w+', (fd) => {
    row('write 1 MiB, growing', chunks, (i) => fs.writeSync(fd, chunk, 0, chunk.length, i * chunk.length))
    row('write 1 MiB, again', chunks, (i) => fs.writeSync(fd, chunk, 0, chunk.length, i * chunk.length))
    row('write 4 KiB at random', FILES, (i) => fs.writeSync(fd, page, 0, page.length, ((i * 7919) % 65536) * 4096))
    row('fsync', FILES, () => fs.fsyncSync(fd))
  })
  fs.writeFileSync('/proc/sys/vm/drop_caches', '1')
  withFile('big', 'r', (fd) => row('read 1 MiB, not cached', chunks, () => fs.readSync(fd, chunk)))
  withFile('big', 'r', (fd) => row('read 1 MiB, cached', chunks, () => fs.readSync(fd, chunk)))
  fs.unlinkSync('big')
}

function withFile(path: string, flags: string, action: (fd: number) => unknown): void {
  const fd = fs.openSync(path, flags)
  action(fd)
  fs.closeSync(fd)
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN
}
