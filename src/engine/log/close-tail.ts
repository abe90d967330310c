/** Ends the segment that a session left open because it did not come to its end: cut behind the last whole batch, closed. */
import { AteError } from '../error.js'
import { SEGMENT_HEADER_BYTES } from './format/segment-header.js'
import { segmentName } from './format/segment-name.js'
import type { ManifestFile } from './manifest-file.js'
import type { ReplayEnd } from './replay.js'
import type { LogStorage } from './storage.js'

/** A crash at any point of it leaves what the next open can do again. */
export async function closeTail(storage: LogStorage, manifest: ManifestFile, end: ReplayEnd): Promise<void> {
  const { segments } = manifest.current
  const last = segments.at(-1)
  if (last === undefined || last.closing !== undefined) return
  const isEmpty = end.position === SEGMENT_HEADER_BYTES
  if (!isEmpty && end.lastPosition === undefined) {
    throw new AteError('CHAIN_DAMAGED', `The last batch of segment ${last.number} was not found.`)
  }
  const name = segmentName(last.number)
  const file = await storage.openSegment(name, 'append')
  try {
    await file.truncate(end.position)
    await file.sync()
  } finally {
    await file.close()
  }
  const before = segments.slice(0, -1)
  if (isEmpty || end.lastPosition === undefined) {
    await manifest.replaceSegments(before)
    await storage.remove(name)
    return
  }
  const { sequence, digest } = end.state
  const closing = { length: end.position, lastPosition: end.lastPosition, lastSequence: sequence, lastDigest: digest }
  await manifest.replaceSegments([...before, { ...last, closing }])
}
