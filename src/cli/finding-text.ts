/** One finding of fsck as one line: where, then what. */
import type { ChainFinding } from './check-chain.js'

export function findingText(finding: ChainFinding): string {
  const { kind, message, segment, position, sequence, group, inode, path } = finding
  const places = [
    path,
    inode === undefined ? undefined : `inode ${inode}`,
    segment === undefined ? undefined : `segment ${segment}`,
    position === undefined ? undefined : `position ${position}`,
    sequence === undefined ? undefined : `batch ${sequence}`,
    group === undefined ? undefined : `record group ${group}`,
  ]
  const where = places.filter((place) => place !== undefined).join(', ')
  return where === '' ? `${kind}: ${message}` : `${kind}: ${where}: ${message}`
}
