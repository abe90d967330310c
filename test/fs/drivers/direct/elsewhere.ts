/** What another machine changes is seen through a real mount, whatever the kernel remembers and whoever holds what. */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import * as fs from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import type { CarriedCall, ElsewhereStep } from '../../../helpers/carried-mount-server.js'

class CarriedMount {
  readonly #child: ChildProcess
  readonly #answers: ((message: { result?: unknown; error?: string }) => void)[] = []

  private constructor(readonly mountpoint: string) {
    this.#child = fork(fileURLToPath(new URL('../../../helpers/carried-mount-server.ts', import.meta.url)))
    this.#child.on('message', (message: { result?: unknown; error?: string }) => this.#answers.shift()?.(message))
  }

  static async start(t: Test, others: 'pushed' | 'asked' = 'pushed'): Promise<CarriedMount> {
    const mount = new CarriedMount(fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'atefs-mount-'))))
    t.teardown(async () => {
      const exited = once(mount.#child, 'exit')
      mount.#child.disconnect()
      await exited
      fs.rmdirSync(mount.mountpoint)
    })
    await mount.ask({ call: 'mount', mountpoint: mount.mountpoint, others })
    return mount
  }

  async ask(call: CarriedCall): Promise<unknown> {
    const { result, error } = await new Promise<{ result?: unknown; error?: string }>((resolve) => {
      this.#answers.push(resolve)
      this.#child.send(call)
    })
    if (error !== undefined) throw new Error(error)
    return result
  }

  elsewhere(...steps: ElsewhereStep[]): Promise<unknown> {
    return this.ask({ call: 'elsewhere', steps })
  }

  path(name: string): string {
    return join(this.mountpoint, name)
  }
}

/** The kernel is told by a thread of its own: the answer comes a moment later. */
async function soon<T>(t: Test, read: () => T, wanted: T, message: string): Promise<void> {
  let got: unknown
  for (let waitedMs = 0; waitedMs < 3000; waitedMs += 5) {
    try {
      got = read()
    } catch (error) {
      got = error instanceof Error ? error.message : error
    }
    if (JSON.stringify(got) === JSON.stringify(wanted)) break
    await sleep(5)
  }
  t.same(got, wanted, message)
}

function errnoOf(work: () => void): number | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).errno
  }
}

await t.test('stat, ls, content and absent names follow the other machine', async (t) => {
  const mount = await CarriedMount.start(t)
  const path = mount.path.bind(mount)
  const read = (name: string) => () => fs.readFileSync(path(name), 'utf8')
  fs.writeFileSync(path('f'), 'before')
  t.equal(read('f')(), 'before')
  t.equal(fs.existsSync(path('new')), false)
  t.same(fs.readdirSync(mount.mountpoint), ['f'])
  await mount.elsewhere(
    { do: 'replace', name: 'f', content: 'and after' },
    { do: 'make', name: 'new', content: 'here' },
  )
  await soon(t, read('f'), 'and after', 'content in the page cache')
  await soon(t, () => fs.statSync(path('f')).size, 9, 'attributes')
  await soon(t, read('new'), 'here', 'a name that was known to be absent')
  await soon(t, () => fs.readdirSync(mount.mountpoint).sort(), ['f', 'new'], 'a listing that was cached')
  await mount.elsewhere({ do: 'rename', name: 'new', to: 'f' }, { do: 'mkdir', name: 'directory' })
  await soon(t, read('f'), 'here', 'a name with another file behind it')
  await soon(t, () => fs.existsSync(path('new')), false, 'a name that is gone')
  await soon(t, () => fs.readdirSync(mount.mountpoint).sort(), ['directory', 'f'], 'the listing again')
  fs.writeFileSync(path('directory/below'), '')
  t.same(await mount.ask({ call: 'seen' }), { seen: { directory: 'directory', f: 'here' }, refreshes: 0 })
})

await t.test('who has a file open goes on reading it, changed or deleted', async (t) => {
  const mount = await CarriedMount.start(t)
  fs.writeFileSync(mount.path('f'), 'before')
  fs.writeFileSync(mount.path('gone'), 'still here')
  const [changed, gone] = [fs.openSync(mount.path('f'), 'r+'), fs.openSync(mount.path('gone'), 'r+')]
  t.teardown(() => [changed, gone].forEach((fd) => fs.closeSync(fd)))
  const read = (fd: number) => () => {
    const bytes = Buffer.alloc(100)
    return bytes.toString('utf8', 0, fs.readSync(fd, bytes, 0, 100, 0))
  }
  t.same([read(changed)(), read(gone)()], ['before', 'still here'])
  await mount.elsewhere({ do: 'append', name: 'f', content: ' and after' }, { do: 'unlink', name: 'gone' })
  await soon(t, read(changed), 'before and after', 'changed')
  await soon(t, () => fs.existsSync(mount.path('gone')), false, 'deleted')
  await soon(t, () => fs.fstatSync(gone).nlink, 0, 'it has no name')
  t.equal(read(gone)(), 'still here')
  t.equal(
    errnoOf(() => fs.writeSync(gone, 'x', 0)),
    -constants.errno.ESTALE,
  )
})

await t.test('lines that both append are all there, and each whole', async (t) => {
  const mount = await CarriedMount.start(t)
  fs.writeFileSync(mount.path('log'), '')
  const log = fs.openSync(mount.path('log'), 'a+')
  t.teardown(() => fs.closeSync(log))
  const expected: string[] = []
  for (let i = 0; i < 40; i++) {
    const theirs = mount.elsewhere({ do: 'append', name: 'log', content: `theirs ${i}\n` })
    for (let j = 0; j < 5; j++) fs.writeSync(log, `ours ${i} ${j}\n`)
    await theirs
    expected.push(`theirs ${i}`, ...[0, 1, 2, 3, 4].map((j) => `ours ${i} ${j}`))
  }
  const wanted = [...expected].sort()
  await soon(t, () => fs.readFileSync(mount.path('log'), 'utf8').trim().split('\n').sort(), wanted, 'here')
  const { seen } = (await mount.ask({ call: 'seen' })) as { seen: { log: string } }
  t.same(seen.log.trim().split('\n').sort(), wanted, 'and there')
})

await t.test('changes and lookups in one directory from both sides end, and agree', async (t) => {
  const mount = await CarriedMount.start(t)
  const script = `
    const fs = require('node:fs')
    for (let i = 0; i < 60; i++) {
      const name = process.argv[1] + '/n' + (i % 7)
      try { fs.appendFileSync(name, 'x'); fs.readdirSync(process.argv[1]); fs.statSync(name); if (i % 3 === 0) fs.unlinkSync(name) }
      catch (error) { if (error.code !== 'ENOENT' && error.errno !== -116) throw error }
    }`
  const workers = [0, 1, 2].map(() =>
    spawn(process.execPath, ['-e', script, mount.mountpoint], { stdio: ['ignore', 'inherit', 'inherit'] }),
  )
  let alive = workers.length
  const ends = workers.map(async (worker) => {
    const codes = (await once(worker, 'exit')) as unknown[]
    alive--
    t.equal(codes[0], 0)
  })
  let rounds = 0
  while (alive > 0 && rounds++ < 400) {
    const name = `n${rounds % 7}`
    await mount.elsewhere({ do: 'unlink', name }).catch(() => undefined)
    await mount.elsewhere({ do: 'make', name, content: String(rounds) }).catch(() => undefined)
  }
  await Promise.all(ends)
  const { seen } = (await mount.ask({ call: 'seen' })) as { seen: Record<string, string> }
  await soon(t, () => fs.readdirSync(mount.mountpoint).sort(), Object.keys(seen).sort(), 'the same names')
  for (const [name, content] of Object.entries(seen))
    await soon(t, () => fs.readFileSync(mount.path(name), 'utf8'), content, name)
})

await t.test('where everything is asked for, finding and opening come behind what is new', async (t) => {
  const mount = await CarriedMount.start(t, 'asked')
  const refreshes = async (): Promise<number> =>
    ((await mount.ask({ call: 'seen' })) as { refreshes: number }).refreshes
  fs.writeFileSync(mount.path('f'), 'before')
  const before = await refreshes()
  t.equal(fs.readFileSync(mount.path('f'), 'utf8'), 'before')
  const first = await refreshes()
  t.ok(first >= before + 2, 'looked up and opened')
  fs.readFileSync(mount.path('f'))
  t.ok((await refreshes()) >= first + 2, 'each time')
  await mount.elsewhere({ do: 'replace', name: 'f', content: 'after' })
  t.equal(fs.readFileSync(mount.path('f'), 'utf8'), 'after', 'at once')
  await mount.elsewhere({ do: 'unlink', name: 'f' })
  t.equal(fs.existsSync(mount.path('f')), false)
  t.same(fs.readdirSync(mount.mountpoint), [])
})
