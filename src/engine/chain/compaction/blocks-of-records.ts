/** What the space of a batch's records would be worth: only whole blocks of a file can be given back. */
import { type GroupPlace, GROUP_RECORDS } from '../../log/types.js'

const BLOCK_BYTES = 4096

/** Bytes of the whole blocks that these groups' records fill; neighbours fill some together. */
export function blocksOfRecords(groups: readonly GroupPlace[]): number {
  let bytes = 0
  let [from, to] = [0, 0]
  for (const { kind, position, storedBytes } of groups) {
    if (kind !== GROUP_RECORDS) continue
    if (position !== to) {
      bytes += wholeBlocks(from, to)
      from = position
    }
    to = position + storedBytes
  }
  return bytes + wholeBlocks(from, to)
}

/** Bytes of the blocks that lie in [from, to) as a whole. */
export function wholeBlocks(from: number, to: number): number {
  return Math.max(0, Math.floor(to / BLOCK_BYTES) - Math.ceil(from / BLOCK_BYTES)) * BLOCK_BYTES
}
