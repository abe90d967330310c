/** Gives back the space of zeros in the segments of a chain that nobody has open: content that was dropped elsewhere. */
import { segmentNumberOf } from '../../engine/log/format/segment-name.js'
import { FileStorage } from './file-storage.js'

const CHUNK_BYTES = 1024 * 1024
const BLOCK_BYTES = 4096
const ZEROS = new Uint8Array(BLOCK_BYTES)

/** Files of several names are left as they are, and so is what cannot be punched. */
export async function punchZeros(directory: string): Promise<void> {
  const storage = new FileStorage(directory)
  for (const name of await storage.list()) {
    if (segmentNumberOf(name) === undefined) continue
    const file = await storage.openSegment(name, 'append')
    try {
      const size = await file.size()
      for (let at = 0; at < size; at += CHUNK_BYTES) {
        const chunk = await file.read(at, Math.min(CHUNK_BYTES, size - at))
        for (const { from, to } of zeroBlocks(chunk)) if (!(await file.punch(at + from, at + to))) break
      }
      await file.sync()
    } finally {
      await file.close()
    }
  }
}

function* zeroBlocks(chunk: Uint8Array): Generator<{ from: number; to: number }> {
  for (let from = 0; from < chunk.length; from += BLOCK_BYTES) {
    const to = from
    while (from + BLOCK_BYTES <= chunk.length && Buffer.compare(chunk.subarray(from, from + BLOCK_BYTES), ZEROS) === 0)
      from += BLOCK_BYTES
    if (from > to) yield { from: to, to: from }
  }
}
