/** Finds the bodies of which little is left, and the records that refer to them, in the state that a compaction looks at. */
import type { IndexScan } from '../../index/index-scan.js'
import type { Log } from '../../log/index.js'
import { BODY_PLACE_KIND, decodeBodyPlace } from '../body-place.js'
import type { FindReferences, LiveBodies } from './live-bodies.js'
import { isSparse, MAX_MOVED_BYTES, MAX_MOVED_RECORDS } from './repack.js'
import type { RepackRecord, RepackWork } from './rewrite-work.js'
import type { SpaceFreer } from './space-freer.js'

export interface RepackWorkParts {
  scan: IndexScan
  live: LiveBodies
  findReferences: FindReferences
  log: Pick<Log, 'closedSegments'>
  freer: Pick<SpaceFreer, 'canFree'>
  nextTurn: () => Promise<void>
  isStopped: () => boolean
}

/** Undefined when there is nothing to do. BODY_DAMAGED, BAD_FORMAT. */
export async function findRepackWork(parts: RepackWorkParts): Promise<RepackWork | undefined> {
  const { scan, isStopped } = parts
  if (scan.isEmpty || isStopped()) return undefined
  const bodies = await findSparse(parts)
  return bodies.size === 0 ? undefined : { bodies, records: await findReferring(parts, bodies), unused: [] }
}

/** As many as one compaction may move. Only those of closed segments, whose space can be given back. */
async function findSparse({ scan, live, log, freer, nextTurn, isStopped }: RepackWorkParts): Promise<Set<number>> {
  const closed = log.closedSegments()
  const bodies = new Set<number>()
  let bytes = 0
  let leaves = 0
  for (const records of scan.upTo(BODY_PLACE_KIND)) {
    for (const { low, value } of records) {
      const liveBytes = live.bytes.of(low)
      if (liveBytes === 0) continue
      const place = decodeBodyPlace(low, value)
      if (!isSparse(place, liveBytes) || !closed.has(place.segment) || !(await freer.canFree(place.segment))) continue
      bytes += liveBytes
      if (bytes > MAX_MOVED_BYTES) return bodies
      bodies.add(low)
    }
    if (++leaves % 64 === 0) await nextTurn()
    if (isStopped()) break
  }
  return bodies
}

async function findReferring(
  { scan, findReferences, nextTurn, isStopped }: RepackWorkParts,
  bodies: ReadonlySet<number>,
): Promise<RepackRecord[]> {
  const found: RepackRecord[] = []
  let bytes = 0
  const refer = (body: number, length: number): void => void (bytes += bodies.has(body) ? length : 0)
  const steps = scan.all((record) => {
    if (record.kind <= BODY_PLACE_KIND || found.length === MAX_MOVED_RECORDS) return
    bytes = 0
    findReferences(record, refer)
    if (bytes > 0) found.push({ kind: record.kind, high: record.high, low: record.low, bytes })
  })
  while (steps.next().done !== true && !isStopped()) await nextTurn()
  return found
}
