/** The frames of a segment file on the disk, found without any key: places for tests to damage. */
import { basename, dirname } from 'node:path'
import { FileStorage } from '../../src/adapters/node/file-storage.js'
import type { TableEntry } from '../../src/engine/log/format/batch-header.js'
import { SEGMENT_SALT_BYTES } from '../../src/engine/log/format/frame-head.js'
import { SEGMENT_HEADER_BYTES } from '../../src/engine/log/format/segment-header.js'
import { SegmentScanner } from '../../src/engine/log/segment-scanner.js'
import { crypto } from './log-workbench.js'

export interface GroupAt {
  kind: number
  number: number
  position: number
  storedBytes: number
}

export interface FrameAt {
  sequence: number
  position: number
  endPosition: number
  groups: GroupAt[]
}

/** All frames of the segment file, in order. */
export async function framesOf(path: string): Promise<FrameAt[]> {
  const file = await new FileStorage(dirname(path)).openSegment(basename(path), 'read')
  try {
    const salt = await file.read(SEGMENT_HEADER_BYTES, SEGMENT_SALT_BYTES)
    const scanner = new SegmentScanner(crypto, file, salt, await file.size())
    const frames: FrameAt[] = []
    for (let position = SEGMENT_HEADER_BYTES; ;) {
      const read = await scanner.frameAt(position)
      if (read.kind !== 'frame') return frames
      const { head, bodyPosition, endPosition } = read.frame
      frames.push({ sequence: head.link.sequence, position, endPosition, groups: groupsOf(head.table, bodyPosition) })
      position = endPosition
    }
  } finally {
    await file.close()
  }
}

function groupsOf(table: readonly TableEntry[], start: number): GroupAt[] {
  let position = start
  return table.map(({ kind, number, storedBytes }) => {
    const group = { kind, number, position, storedBytes }
    position += storedBytes
    return group
  })
}
