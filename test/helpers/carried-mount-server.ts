/**
 * A process with two copies of one chain: one is mounted through the direct driver, the other is changed as its parent says, and
 * the turn goes from one to the other. Started with fork(). Each message is answered by `{ result }` or `{ error }`.
 */
import { mountDirect, type DirectMount } from '../../src/fs/drivers/direct/direct-driver.js'
import type { Others } from '../../src/fs/drivers/driver.js'
import { ROOT_INO } from '../../src/fs/vfs/types.js'
import { carry, openCopy, type ChainCopy } from './carried-chains.js'
import { exists, KEEP_PRIVILEGES, listDirectory, makeDirectory, makeFile, nameOf, readAll } from './open-memory-fs.js'

export type ElsewhereStep =
  | { do: 'make'; name: string; content: string }
  | { do: 'mkdir'; name: string }
  | { do: 'append'; name: string; content: string }
  | { do: 'replace'; name: string; content: string }
  | { do: 'unlink'; name: string }
  | { do: 'rename'; name: string; to: string }

export type CarriedCall =
  | { call: 'mount'; mountpoint: string; others: Others['kind'] }
  | { call: 'elsewhere'; steps: ElsewhereStep[] }
  /** Name and content of every file of the root, as the other copy has it. */
  | { call: 'seen' }

const ROOT = { uid: 0, gid: 0, pid: 0 }

let here: ChainCopy
let elsewhere: ChainCopy
let mount: DirectMount | undefined
let refreshes = 0

/** The turn is the mounted copy's, but while the other one is changed. */
let given: Promise<void> | undefined

async function inOtherTurn<T>(work: () => Promise<T>): Promise<T> {
  while (given !== undefined) await given
  let giveBack = (): void => undefined
  given = new Promise((resolve) => (giveBack = resolve))
  await carry(here, elsewhere)
  try {
    return await work()
  } finally {
    await carry(elsewhere, here)
    given = undefined
    giveBack()
  }
}

async function answer(call: CarriedCall): Promise<unknown> {
  if (call.call === 'mount') return start(call.mountpoint, call.others)
  if (call.call === 'elsewhere')
    return inOtherTurn(async () => {
      for (const step of call.steps) await take(step)
    })
  return inOtherTurn(async () => {
    const seen: Record<string, string> = {}
    for (const { name, ino, type } of listDirectory(elsewhere.fs, ROOT_INO))
      seen[name] = type === 4 ? 'directory' : (await readAll(elsewhere.fs, ino)).toString('latin1')
    return { seen, refreshes }
  })
}

async function start(mountpoint: string, kind: Others['kind']): Promise<void> {
  here = await openCopy(1, undefined, { root: { mode: 0o777, uid: 0, gid: 0 } })
  elsewhere = await openCopy(2, here)
  here.chain.view.shareWith({
    acquire: () => given,
    onAppended: () => undefined,
    hold: () => () => undefined,
    onDropped: () => undefined,
    onReceived: () => undefined,
    giveBack: () => Promise.resolve(0),
  })
  const refresh = (): undefined => {
    refreshes++
    return undefined
  }
  const onWarning = (message: string): void => console.error(message)
  const names = { mountpoint, fsName: 'in memory', subtype: 'atefs' }
  const rights = { readOnly: false, allowOther: false, allowRoot: false, kernelOptions: [] }
  const mounted = await mountDirect(here.fs, { ...names, ...rights, others: { kind, refresh }, onWarning })
  mount = mounted
  here.fs.onChangedElsewhere = (changed) => mounted.invalidate(changed)
}

async function take(step: ElsewhereStep): Promise<void> {
  const { fs } = elsewhere
  const name = nameOf(step.name)
  const ino = exists(fs, ROOT_INO, step.name)?.ino ?? 0
  if (step.do === 'make') await makeFile(fs, ROOT_INO, step.name, step.content)
  else if (step.do === 'mkdir') await makeDirectory(fs, ROOT_INO, step.name)
  else if (step.do === 'unlink') await fs.unlink(ROOT_INO, name, ROOT)
  else if (step.do === 'rename') await fs.rename(ROOT_INO, name, ROOT_INO, nameOf(step.to), 0, ROOT)
  else {
    if (step.do === 'replace') await fs.setAttributes(ino, { size: 0 }, ROOT)
    await fs.write(ino, fs.getAttributes(ino).size, Buffer.from(step.content), KEEP_PRIVILEGES)
  }
}

process.on('message', (call: CarriedCall) => {
  answer(call).then(
    (result) => process.send?.({ result: result ?? null }),
    (error: unknown) => process.send?.({ error: String(error) }),
  )
})

process.once('disconnect', () => {
  void (mount?.unmount({ lazy: true }) ?? Promise.resolve())
    .catch(() => undefined)
    .finally(() => process.kill(process.pid, 'SIGKILL'))
})
