/** Runs a mount in this process until it ends, in the foreground or as a daemon. */
import { setFlagsFromString } from 'node:v8'
import { errorCode } from '../engine/error.js'
import type { ChainSecret } from '../adapters/node/chain-handle.js'
import { MountDaemon, type MountEnd, type MountEvents } from '../fs/daemon/mount-daemon.js'
import type { MountRequest } from '../fs/daemon/mount-request.js'
import { loadMountParts } from '../fs/daemon/mount-parts.js'
import { wipeSecret } from './passphrase.js'

/** Opens and mounts. The passphrase is wiped whatever happens. */
export async function startMount(
  request: MountRequest,
  secret: ChainSecret,
  events: MountEvents,
): Promise<MountDaemon> {
  // Most of the heap is records on their way: left to itself it grows to three times what lives in it before it is
  // collected, and that would be most of the daemon's memory.
  setFlagsFromString('--heap-growing-percent=40')
  try {
    return await MountDaemon.start(request, secret, await loadMountParts(request), events)
  } finally {
    wipeSecret(secret)
  }
}

/**
 * Resolves when the mount has ended and all is durable. The first SIGINT, SIGTERM or SIGHUP unmounts; when the mount is in
 * use it goes on, and the second one ends it by force, after a commit.
 */
export async function serveUntilEnd(daemon: MountDaemon, say: (message: string) => void): Promise<MountEnd> {
  outliveTerminal()
  let signals = 0
  const onSignal = (signal: NodeJS.Signals): void => {
    signals++
    const ending = signals === 1 ? daemon.unmount() : daemon.forceEnd()
    say(`${signal}: ${signals === 1 ? 'unmounting' : 'ending by force'}`)
    ending.catch((error: unknown) => {
      // Every other failure comes out of `ended` too.
      if (errorCode(error) === 'MOUNTPOINT_BUSY')
        say('the mount is in use and goes on; a second signal ends it by force')
    })
  }
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const name of names) process.on(name, onSignal)
  try {
    return await daemon.ended
  } finally {
    await daemon.goodbye()
    for (const name of names) process.off(name, onSignal)
  }
}

/** Nobody may read any more what is said (a terminal that was closed, a pipe that ended): no reason to drop a mount. */
function outliveTerminal(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.removeAllListeners('error')
    stream.on('error', () => undefined)
  }
}
