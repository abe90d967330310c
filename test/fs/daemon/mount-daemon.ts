/** The life of a mount, with a driver that does as it is told. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { MountDaemon } from '../../../src/fs/daemon/mount-daemon.js'
import { loadMountParts } from '../../../src/fs/daemon/mount-parts.js'
import type { MountRequest } from '../../../src/fs/daemon/mount-request.js'
import { listMounts, socketOf } from '../../../src/fs/daemon/registry.js'

await t.test('a mount that is unmounted while it starts ends like any other', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'atefs-daemon-'))
  t.teardown(() => rmSync(root, { recursive: true }))
  const [mountpoint = '', runtimeDirectory = ''] = ['mnt', 'run'].map((name) => join(root, name))
  for (const directory of [mountpoint, runtimeDirectory, join(root, 'bin')]) mkdirSync(directory)
  // Asking whether the mount answers takes longer than everything that ends it.
  writeFileSync(join(root, 'bin', 'stat'), '#!/bin/sh\nsleep 1\n', { mode: 0o755 })
  const path = process.env['PATH'] ?? ''
  process.env['PATH'] = `${join(root, 'bin')}:${path}`
  t.teardown(() => (process.env['PATH'] = path))
  const request: MountRequest = {
    mountpoint,
    chain: 'vault',
    directory: join(root, 'vault'),
    create: true,
    runtimeDirectory,
    readOnly: false,
    allowDamage: false,
    acceptRollback: false,
    driver: 'direct',
    driverOptions: { fsName: 'vault', allowOther: false, allowRoot: false, kernelOptions: [] },
  }
  const parts = await loadMountParts(request)
  // umount(8) came before the daemon had told anybody of the mount.
  const driver = async () => ({
    name: 'direct' as const,
    ended: Promise.resolve(),
    unmount: async () => undefined,
    invalidate: () => undefined,
  })
  const events = { onProgress: () => undefined, onNotice: () => undefined, onWarning: () => undefined }
  const daemon = await MountDaemon.start(request, { kind: 'key-file' }, { ...parts, driver }, events)
  await daemon.ended
  await daemon.goodbye()
  t.strictSame(listMounts(runtimeDirectory), [], 'nothing says that it is mounted')
  t.notOk(existsSync(socketOf(runtimeDirectory, process.pid)), 'and nobody listens')
})
