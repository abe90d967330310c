/** statfs(2) from the space on the medium. */
import type { Space } from './options.js'
import type { FileSystemStatistics } from './types.js'

const BLOCK_BYTES = 4096
/** What a small file costs in the log and the index, for the number of files that still fit. */
const BYTES_PER_FILE = 512

export function statisticsOf(space: Space, inodes: number): FileSystemStatistics {
  const freeFiles = Math.floor(space.availableBytes / BYTES_PER_FILE)
  return {
    blockBytes: BLOCK_BYTES,
    blocks: Math.floor(space.totalBytes / BLOCK_BYTES),
    freeBlocks: Math.floor(space.freeBytes / BLOCK_BYTES),
    availableBlocks: Math.floor(space.availableBytes / BLOCK_BYTES),
    files: inodes + freeFiles,
    freeFiles,
    maxNameBytes: 255,
  }
}
