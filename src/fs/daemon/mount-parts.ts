/** The real pieces of a mount, loaded only by the process that runs one: they are the heavy part of the program. */
import type { Driver } from '../drivers/driver.js'
import { mediumSpace } from './medium-space.js'
import { mountClock } from './mount-clock.js'
import type { MountParts } from './mount-daemon.js'
import type { DriverChoice, MountRequest } from './mount-request.js'

const ROOT_MODE = 0o755

export async function loadMountParts(request: MountRequest): Promise<MountParts> {
  const [{ createChain, openChain }, { openFileSystem }, driver] = await Promise.all([
    import('../../adapters/node/open-chain.js'),
    import('../vfs/open.js'),
    loadDriver(request.driver),
  ])
  const isAccessTimeKept = !request.driverOptions.kernelOptions.includes('noatime')
  return {
    openChain,
    createChain,
    driver,
    openFileSystem: (chain, onWarning, sharing) =>
      openFileSystem({
        view: chain.view,
        options: {
          nameKey: chain.keys.nameKey,
          onWarning,
          clock: mountClock(request.timeServer, onWarning),
          readOnly: request.readOnly,
          ...sharing,
          allowDamage: request.allowDamage,
          accessTime: isAccessTimeKept ? 'relatime' : 'noatime',
          root: { mode: ROOT_MODE, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
          space: mediumSpace(request.directory),
        },
      }),
  }
}

async function loadDriver(choice: DriverChoice): Promise<Driver> {
  if (choice === 'direct' || (choice === 'auto' && process.platform === 'linux')) {
    return (await import('../drivers/direct/direct-driver.js')).directDriver
  }
  return (await import('../drivers/fuse-native/fuse-native-driver.js')).fuseNativeDriver
}
