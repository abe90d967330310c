/** The driver that speaks the kernel's FUSE protocol itself. Linux only; no native code but libc's own. */
import { FuseDevice } from '../../../adapters/node/libc/fuse-device.js'
import { becomeIoFlusher } from '../../../adapters/node/libc/io-flusher.js'
import { AteError } from '../../../engine/error.js'
import type { FileSystem } from '../../vfs/types.js'
import type { Driver, DriverOptions, MountedDriver } from '../driver.js'
import { detach } from './mount/detach.js'
import { mountAsRoot } from './mount/mount-as-root.js'
import { mountAsUser } from './mount/mount-as-user.js'
import { Invalidations } from './invalidations.js'
import { Notifier } from './notifier.js'
import { RequestLoop } from './request-loop.js'
import { Session, type SessionOptions } from './session.js'
import type { ShownOwner } from './shown-owner.js'

export interface DirectMount extends MountedDriver {
  /** Requests taken so far, by opcode. */
  readonly requestCounts: Readonly<Uint32Array>
  /** For changes that do not come through the kernel. */
  readonly notifier: Notifier
}

/** Mounts, and resolves once the kernel and we agree on the protocol. Otherwise as `Driver` says. */
export async function mountDirect(fileSystem: FileSystem, options: DriverOptions): Promise<DirectMount> {
  if (process.platform !== 'linux') throw new AteError('FUSE_UNAVAILABLE', 'the direct driver needs Linux')
  const isRoot = process.geteuid?.() === 0
  // The kernel has no rule "root and me": everyone may come in, and the session turns the others away.
  const target = { ...options, allowOther: options.allowOther || (options.allowRoot && !isRoot) }
  const fd = isRoot ? mountAsRoot(target) : await mountAsUser(target)
  becomeIoFlusher()

  const channel = new FuseDevice(fd)
  const send = (bytes: Uint8Array, length: number): number => channel.write(bytes, length)
  const notifier = new Notifier(fd, options.onWarning)
  const invalidations = new Invalidations((bytes) => notifier.send(bytes))
  const invalidate: MountedDriver['invalidate'] = (changed) => invalidations.add(changed)
  const session = new Session(fileSystem, { ...sessionOptions(options, isRoot), invalidations }, send)
  const loop = new RequestLoop(channel, session, options.onWarning)
  const ended = loop.run().then(async () => {
    await notifier.close()
    channel.close()
  })

  const agreed = await Promise.race([session.ready, ended.then(() => false)])
  if (!agreed) throw await notAgreed(session, options.mountpoint)
  const end = async (how: { lazy?: boolean } = {}): Promise<void> => {
    await detach(options.mountpoint, { lazy: how.lazy === true })
    await ended
  }
  return { name: 'direct', ended, unmount: end, invalidate, requestCounts: session.requestCounts, notifier }
}

export const directDriver: Driver = mountDirect

function sessionOptions(options: DriverOptions, isRoot: boolean): Omit<SessionOptions, 'invalidations'> {
  const shown: ShownOwner = {}
  if (options.uid !== undefined) shown.uid = options.uid
  if (options.gid !== undefined) shown.gid = options.gid
  if (options.umask !== undefined) shown.umask = options.umask
  const onlyUid = options.allowRoot && !options.allowOther && !isRoot ? process.geteuid?.() : undefined
  const rule = onlyUid === undefined ? {} : { onlyUid }
  const { readOnly, onWarning, others } = options
  return { readOnly, shown, onWarning, others, ...rule }
}

async function notAgreed(session: Session, mountpoint: string): Promise<AteError> {
  await detach(mountpoint, { lazy: true }).catch(() => undefined)
  const { refusedProtocol } = session
  return refusedProtocol === undefined
    ? new AteError('MOUNT_REFUSED', `${mountpoint} was unmounted before it was ready`)
    : new AteError('FUSE_UNAVAILABLE', `the kernel speaks FUSE ${refusedProtocol}, and 7.32 (Linux 5.10) is needed`)
}
