/** What a client knows of its server, in a file of the replica. See src/client/client-state.ts. */
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MAX_REMOTE_FILE_BYTES, REMOTE_FILE, type StateStore } from '../../client/index.js'
import type { FileStorage } from './file-storage.js'

/** Off the main thread, and not synced: a power cut may lose it. */
export function remoteStateFile(directory: string, storage: FileStorage): StateStore {
  const path = join(directory, REMOTE_FILE)
  return {
    read: () => storage.readSmall(REMOTE_FILE, MAX_REMOTE_FILE_BYTES),
    write: async (bytes) => {
      await writeFile(`${path}.new`, bytes, { mode: 0o600 })
      await rename(`${path}.new`, path)
    },
  }
}
