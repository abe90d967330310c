/**
 * A process that serves a file system in memory through the direct driver, and lets its parent look behind the kernel's
 * back. Started with fork(); messages are `MountCall`s, each answered by a `MountAnswer`. Ends with its channel, by force:
 * tap's hook at exit writes to where another user may not.
 */
import { isAteError } from '../../src/engine/error.js'
import { mountDirect, type DirectMount } from '../../src/fs/drivers/direct/direct-driver.js'
import type { DriverOptions } from '../../src/fs/drivers/driver.js'
import { attributesChanged, entryChanged, entryDeleted, inodeChanged } from '../../src/fs/drivers/direct/notify.js'
import { ROOT_INO, type Name } from '../../src/fs/vfs/types.js'
import { MemoryFileSystem } from './memory-file-system.js'

export type MountCall =
  /** Of a file system that is empty. */
  | { call: 'mount'; options: Omit<DriverOptions, 'onWarning'> }
  | { call: 'unmount'; lazy: boolean }
  /** Requests by opcode since the last such call. */
  | { call: 'counts' }
  /** Until 'openGate', no sync is answered. */
  | { call: 'closeGate' }
  | { call: 'openGate'; afterMs: number }
  /** Changes the root's entries without the kernel's knowledge, then tells it. */
  | { call: 'changeContent'; name: string; content: string }
  | { call: 'addElsewhere'; name: string }
  | { call: 'removeElsewhere'; name: string }

export type MountAnswer = { result: unknown } | { code: string; message: string; hint: string } | { event: string }

let files = new MemoryFileSystem()
let mount: DirectMount | undefined
let counted: number[] = []
let openGate = (): void => undefined

async function answer(call: MountCall): Promise<unknown> {
  switch (call.call) {
    case 'mount':
      files = new MemoryFileSystem()
      counted = []
      mount = await mountDirect(files, {
        ...call.options,
        onWarning: (message) => say({ event: `warning: ${message}` }),
      })
      void mount.ended.then(() => say({ event: 'ended' }))
      return undefined
    case 'unmount':
      return mount?.unmount({ lazy: call.lazy })
    case 'counts':
      return takeCounts()
    case 'closeGate':
      files.syncGate = new Promise((resolve) => (openGate = resolve))
      return undefined
    case 'openGate':
      setTimeout(openGate, call.afterMs)
      return undefined
    default:
      return changeElsewhere(call.call, call.name as Name, 'content' in call ? call.content : '')
  }
}

function takeCounts(): Record<number, number> {
  const now = [...(mount?.requestCounts ?? [])]
  const changed = now.map((count, opcode) => [opcode, count - (counted[opcode] ?? 0)] as const)
  counted = now
  return Object.fromEntries(changed.filter(([, count]) => count > 0))
}

async function changeElsewhere(call: string, name: Name, content: string): Promise<void> {
  const notifier = mount?.notifier
  const ino = files.lookup(ROOT_INO, name)?.ino ?? 0
  const nobody = { uid: 0, gid: 0, pid: 0 }
  if (call === 'changeContent') {
    files.setAttributes(ino, { size: 0 })
    files.write(ino, 0, Buffer.from(content), { clearPrivileges: false })
    await notifier?.send(inodeChanged(ino, 0, 0))
  } else if (call === 'addElsewhere') {
    files.makeNode(ROOT_INO, name, { mode: 0o100644, rdev: 0, umask: 0 }, nobody)
    await notifier?.send(entryChanged(ROOT_INO, name))
    await notifier?.send(attributesChanged(ROOT_INO))
  } else {
    files.unlink(ROOT_INO, name)
    await notifier?.send(entryDeleted(ROOT_INO, name, ino))
    await notifier?.send(attributesChanged(ROOT_INO))
  }
}

function say(message: MountAnswer): void {
  if (process.connected) process.send?.(message)
}

process.on('message', (call: MountCall) => {
  answer(call).then(
    // JSON has no undefined.
    (result) => say({ result: result ?? null }),
    (error: unknown) => say(failure(error)),
  )
})

function failure(error: unknown): MountAnswer {
  if (!isAteError(error)) return { code: 'none', hint: '', message: String(error) }
  return { code: error.code, hint: error.hint ?? '', message: error.message }
}

process.once('disconnect', () => {
  void (mount?.unmount({ lazy: true }) ?? Promise.resolve())
    .catch(() => undefined)
    .finally(() => process.kill(process.pid, 'SIGKILL'))
})
